// A vault for the few secrets that are nobody's identity: what webhooks are signed with, and what Azure ML keeps.
import { place, roles } from 'types.bicep'

param site place
param purgeProtection bool
@description('Identities that read secrets.')
param readers string[]

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: 'kv-${site.token}'
  location: site.location
  tags: site.tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
    // It can be switched on and never off; false is not taken.
    enablePurgeProtection: purgeProtection ? true : null
    publicNetworkAccess: empty(site.subnetId) ? 'Enabled' : 'Disabled'
    networkAcls: { defaultAction: empty(site.subnetId) ? 'Allow' : 'Deny', bypass: 'AzureServices' }
  }
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in readers: {
    scope: vault
    name: guid(vault.id, id, roles.secretsUser)
    properties: {
      principalId: id
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsUser)
    }
  }
]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'logs'
  properties: {
    workspaceId: site.logsId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

module link 'link.bicep' = if (!empty(site.subnetId)) {
  params: {
    site: site
    name: 'kv-${site.token}'
    targetId: vault.id
    part: 'vault'
    zoneNames: ['privatelink.vaultcore.azure.net']
  }
}

output id string = vault.id
output uri string = vault.properties.vaultUri
