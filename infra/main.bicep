// One environment of Dragoman: all that it needs, in one resource group, with no key anywhere.
targetScope = 'subscription'

import { behaviour, model, roles, sizes } from 'modules/types.bicep'

@description('Name of the environment; azd calls it AZURE_ENV_NAME.')
@minLength(2)
@maxLength(32)
param environmentName string
@description('Region of everything; it must have Speech, Translator, Content Safety and the language models.')
param location string
@description('Language models to deploy; the first one is asked for insight.')
@minLength(1)
param models model[]
param size sizes
param options behaviour
@description('Whether the service survives the loss of a zone.')
param zoneRedundant bool
@description('Whether database, storage, vault and models are reached through private endpoints only.')
param privateNetwork bool
@description('Whether a deleted vault cannot be purged. It cannot be switched off again.')
param purgeProtection bool
@description('Who pushes data and registers models; empty: nobody.')
param operatorId string = ''
@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorKind string = 'User'
param alertEmails string[]
@description('First day of the budget, the first of a month.')
param budgetStart string = utcNow('yyyy-MM-01')

var tags = { 'azd-env-name': environmentName }
var token = uniqueString(subscription().id, environmentName, location)
var base = { location: location, token: token, tags: tags }
var site = {
  location: location
  token: token
  tags: tags
  logsId: monitoring.outputs.logsId
  insightsId: monitoring.outputs.insightsId
  toldId: monitoring.outputs.toldId
  subnetId: privateNetwork ? network.outputs.endpointsId : ''
}
var service = identities[0].outputs.principalId
var flow = identities[1].outputs.principalId

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}
module identities 'modules/identity.bicep' = [
  for whose in ['service', 'flow']: {
    scope: group
    params: { site: base, whose: whose }
  }
]
module network 'modules/network.bicep' = {
  scope: group
  params: { site: base, isPrivate: privateNetwork }
}
module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: { site: base, size: size, emails: alertEmails, budgetStart: budgetStart, publishers: [service, flow] }
}
module ai 'modules/ai.bicep' = {
  scope: group
  params: {
    site: site
    models: models
    grants: [
      { id: service, role: roles.speechUser }
      { id: service, role: roles.cognitiveServicesUser }
      { id: service, role: roles.openaiUser }
      { id: flow, role: roles.cognitiveServicesUser }
      { id: flow, role: roles.openaiUser }
    ]
  }
}
module audio 'modules/storage.bicep' = {
  scope: group
  params: {
    site: site
    name: 'st${token}'
    zoneRedundant: zoneRedundant
    // Audio is deleted when its session ends, files of jobs when they are kept no longer; what is left then is nobody's.
    container: 'audio'
    brooms: [{ prefix: 's_', days: 2 }, { prefix: 'jobs/', days: options.retentionDays + 2 }]
    grants: [{ id: service, role: roles.blobContributor }]
  }
}
module vault 'modules/vault.bicep' = {
  scope: group
  params: { site: site, purgeProtection: purgeProtection, readers: [service] }
}
module registry 'modules/registry.bicep' = {
  scope: group
  params: { site: site, zoneRedundant: zoneRedundant, pullers: [service, flow] }
}
module database 'modules/database.bicep' = {
  scope: group
  params: { site: site, size: size, zoneRedundant: zoneRedundant, ownerId: service, ownerName: identities[0].outputs.name }
}
module workspace 'modules/workspace.bicep' = {
  scope: group
  params: {
    site: site
    zoneRedundant: zoneRedundant
    vaultId: vault.outputs.id
    registryId: registry.outputs.id
    flowId: flow
    flowIdentityId: identities[1].outputs.id
    callerId: service
    operatorId: operatorId
    operatorKind: operatorKind
    privateAiId: privateNetwork ? ai.outputs.id : ''
  }
}
module api 'modules/api.bicep' = {
  scope: group
  params: {
    site: site
    options: options
    size: size
    subnetId: network.outputs.appsId
    zoneRedundant: zoneRedundant
    identityId: identities[0].outputs.id
    clientId: identities[0].outputs.clientId
    registryServer: registry.outputs.server
    aiEndpoint: ai.outputs.endpoint
    chatModel: ai.outputs.chatModel
    databaseUrl: database.outputs.url
    spool: audio.outputs.containerUrl
    insightsConnection: monitoring.outputs.connectionString
    scoringUri: workspace.outputs.scoringUri
    vaultUri: vault.outputs.uri
  }
}
module alerts 'modules/alerts.bicep' = {
  scope: group
  params: { site: site, appId: api.outputs.id, databaseId: database.outputs.id, aiId: ai.outputs.id }
}

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.server
output AZURE_CONTAINER_APP_NAME string = api.outputs.name
output SERVICE_API_URI string = api.outputs.uri
output DRAGOMAN_AZURE_ENDPOINTS string = ai.outputs.endpoint
output DRAGOMAN_AZUREML_WORKSPACE string = '${subscription().subscriptionId}/${group.name}/${workspace.outputs.name}'
output DRAGOMAN_TRACKING_URI string = workspace.outputs.trackingUri
output AZUREML_ENDPOINT_NAME string = workspace.outputs.endpointName
