// A storage account without keys: a container, and how long what is in it stays.
import { grant, place } from 'types.bicep'

@description('What is called so, and was written last so many days ago, is deleted.')
type broom = {
  prefix: string
  days: int
}

param site place
param name string
param zoneRedundant bool
param container string
@description('What sweeps up after a service that was killed; else it deletes by itself.')
param brooms broom[]
param grants grant[]

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: name
  location: site.location
  tags: site.tags
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: empty(site.subnetId) ? 'Enabled' : 'Disabled'
    networkAcls: { defaultAction: empty(site.subnetId) ? 'Allow' : 'Deny', bypass: 'AzureServices' }
  }
}

// Accepted audio is deleted when its session ends, and erased speech must be gone: nothing is kept behind.
resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: false }
    isVersioningEnabled: false
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource folder 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: container
  properties: { publicAccess: 'None' }
}

resource rules 'Microsoft.Storage/storageAccounts/managementPolicies@2026-04-01' = if (!empty(brooms)) {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        for (each, index) in brooms: {
          name: 'broom-${index}'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: ['${container}/${each.prefix}'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: each.days } } }
          }
        }
      ]
    }
  }
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for each in grants: {
    scope: account
    name: guid(account.id, each.id, each.role)
    properties: {
      principalId: each.id
      principalType: each.?kind ?? 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.role)
    }
  }
]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobs
  name: 'logs'
  properties: {
    workspaceId: site.logsId
    logs: [
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

module link 'link.bicep' = if (!empty(site.subnetId)) {
  params: {
    site: site
    name: name
    targetId: account.id
    part: 'blob'
    zoneNames: ['privatelink.blob.${environment().suffixes.storage}']
  }
}

output id string = account.id
output containerUrl string = '${account.properties.primaryEndpoints.blob}${folder.name}'
