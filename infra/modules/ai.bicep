// Azure AI Services: Speech, Translator, Content Safety and language models behind one name.
import { grant, model, place } from 'types.bicep'

param site place
param models model[]
param grants grant[]

resource account 'Microsoft.CognitiveServices/accounts@2026-07-01' = {
  name: 'ai-${site.token}'
  location: site.location
  tags: site.tags
  kind: 'AIServices'
  sku: { name: 'S0' }
  identity: { type: 'SystemAssigned' }
  properties: {
    // Tokens of Entra are taken at a name of its own only, and it can never be changed.
    customSubDomainName: 'ai-${site.token}'
    disableLocalAuth: true
    dynamicThrottlingEnabled: false
    publicNetworkAccess: empty(site.subnetId) ? 'Enabled' : 'Disabled'
    networkAcls: { defaultAction: empty(site.subnetId) ? 'Allow' : 'Deny' }
  }
}

var harms = ['Hate', 'Sexual', 'Violence', 'Selfharm']
var promptHarms = [
  for harm in harms: { name: harm, source: 'Prompt', enabled: true, blocking: true, severityThreshold: 'Medium' }
]
var answerHarms = [
  for harm in harms: { name: harm, source: 'Completion', enabled: true, blocking: true, severityThreshold: 'Medium' }
]

// What people say in a call is text of strangers: it may try to give orders, to the model or through it.
resource policy 'Microsoft.CognitiveServices/accounts/raiPolicies@2026-07-01' = {
  parent: account
  name: 'strict'
  properties: {
    basePolicyName: 'Microsoft.DefaultV2'
    mode: 'Blocking'
    contentFilters: concat(promptHarms, answerHarms, [
      { name: 'Jailbreak', source: 'Prompt', enabled: true, blocking: true }
      { name: 'Indirect Attack', source: 'Prompt', enabled: true, blocking: true }
      { name: 'Protected Material Text', source: 'Completion', enabled: true, blocking: true }
      { name: 'Protected Material Code', source: 'Completion', enabled: true, blocking: true }
    ])
  }
}

// One after another: an account takes one change at a time.
@batchSize(1)
resource deployments 'Microsoft.CognitiveServices/accounts/deployments@2026-07-01' = [
  for each in models: {
    parent: account
    name: each.name
    sku: { name: each.sku, capacity: each.capacity }
    properties: {
      model: { format: 'OpenAI', name: each.name, version: each.version }
      raiPolicyName: policy.name
      versionUpgradeOption: 'NoAutoUpgrade'
    }
  }
]

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
  scope: account
  name: 'logs'
  properties: {
    workspaceId: site.logsId
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

module link 'link.bicep' = if (!empty(site.subnetId)) {
  params: {
    site: site
    name: 'ai-${site.token}'
    targetId: account.id
    part: 'account'
    zoneNames: [
      'privatelink.cognitiveservices.azure.com'
      'privatelink.openai.azure.com'
      'privatelink.services.ai.azure.com'
    ]
  }
}

output id string = account.id
output endpoint string = account.properties.endpoint
output chatModel string = deployments[0].name
