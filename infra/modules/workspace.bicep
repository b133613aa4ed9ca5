// The workspace of Azure Machine Learning: data assets, experiments, and the endpoint of flows.
import { place, roles } from 'types.bicep'

param site place
param zoneRedundant bool
param vaultId string
param registryId string
@description('Who the endpoint of flows is.')
param flowId string
param flowIdentityId string
@description('Who asks the endpoint.')
param callerId string
@description('Who pushes data, registers models and makes deployments; empty: nobody.')
param operatorId string
param operatorKind string
@description('AI Services that deployments reach through a private endpoint; empty: publicly.')
param privateAiId string

var operators = empty(operatorId) ? [] : [{ id: operatorId, kind: operatorKind }]
var dataGrants = [for each in operators: { id: each.id, role: roles.blobContributor, kind: each.kind }]
var workspaceGrants = [for each in operators: { id: each.id, role: roles.azuremlDataScientist, kind: each.kind }]
var grants = concat([{ id: flowId, role: roles.azuremlMetricsWriter, kind: 'ServicePrincipal' }], workspaceGrants)

module data 'storage.bicep' = {
  params: {
    site: site
    name: 'ml${site.token}'
    zoneRedundant: zoneRedundant
    container: 'datasets'
    brooms: []
    grants: concat([{ id: flowId, role: roles.blobReader }], dataGrants)
  }
}

resource workspace 'Microsoft.MachineLearningServices/workspaces@2026-05-01' = {
  name: 'mlw-${site.token}'
  location: site.location
  tags: site.tags
  kind: 'Default'
  sku: { name: 'Basic', tier: 'Basic' }
  identity: { type: 'SystemAssigned' }
  properties: {
    friendlyName: 'Dragoman'
    storageAccount: data.outputs.id
    keyVault: vaultId
    containerRegistry: registryId
    applicationInsights: site.insightsId
    systemDatastoresAuthMode: 'Identity'
    publicNetworkAccess: 'Enabled'
    managedNetwork: {
      isolationMode: empty(privateAiId) ? 'Disabled' : 'AllowInternetOutbound'
      outboundRules: empty(privateAiId)
        ? {}
        : {
            ai: { type: 'PrivateEndpoint', destination: { serviceResourceId: privateAiId, subresourceTarget: 'account' } }
          }
    }
  }
}

// Deployments and traffic belong to the release, not to the template.
resource endpoint 'Microsoft.MachineLearningServices/workspaces/onlineEndpoints@2026-05-01' = {
  parent: workspace
  name: 'insight-${site.token}'
  location: site.location
  tags: site.tags
  kind: 'Managed'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${flowIdentityId}': {} } }
  properties: {
    authMode: 'AADToken'
    publicNetworkAccess: 'Enabled'
  }
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for each in grants: {
    scope: workspace
    name: guid(workspace.id, each.id, each.role)
    properties: {
      principalId: each.id
      principalType: each.kind
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.role)
    }
  }
]

resource calls 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: endpoint
  name: guid(endpoint.id, callerId, roles.azuremlDataScientist)
  properties: {
    principalId: callerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.azuremlDataScientist)
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: endpoint
  name: 'logs'
  properties: {
    workspaceId: site.logsId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Where MLflow logs experiments.')
output trackingUri string = 'azureml://${site.location}.api.azureml.ms/mlflow/v1.0${workspace.id}'
output name string = workspace.name
output endpointName string = endpoint.name
output endpointId string = endpoint.id
output scoringUri string = endpoint.properties.scoringUri
