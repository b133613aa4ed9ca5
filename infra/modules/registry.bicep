// Images of the service and of its flows.
import { place, roles } from 'types.bicep'

param site place
param zoneRedundant bool
@description('Identities that pull images.')
param pullers string[]

// Private endpoints and zones are Premium's.
var isPremium = zoneRedundant || !empty(site.subnetId)

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: 'cr${site.token}'
  location: site.location
  tags: site.tags
  sku: { name: isPremium ? 'Premium' : 'Basic' }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
    zoneRedundancy: zoneRedundant ? 'Enabled' : 'Disabled'
    // Images are pushed, and built in the registry, from outside; who may is decided by roles.
    publicNetworkAccess: 'Enabled'
  }
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in pullers: {
    scope: registry
    name: guid(registry.id, id, roles.acrPull)
    properties: {
      principalId: id
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.acrPull)
    }
  }
]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: registry
  name: 'logs'
  properties: {
    workspaceId: site.logsId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

module link 'link.bicep' = if (!empty(site.subnetId)) {
  params: {
    site: site
    name: 'cr${site.token}'
    targetId: registry.id
    part: 'registry'
    zoneNames: ['privatelink.azurecr.io']
  }
}

output id string = registry.id
output server string = registry.properties.loginServer
