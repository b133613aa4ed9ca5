// Where logs, traces and figures go, and who is told.
import { base, roles, sizes } from 'types.bicep'

param site base
param size sizes
param emails string[]
@description('First day of the budget, the first of a month.')
param budgetStart string
@description('Identities that send traces.')
param publishers string[]

resource logs 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: 'log-${site.token}'
  location: site.location
  tags: site.tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
    workspaceCapping: { dailyQuotaGb: size.logsGbPerDay }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${site.token}'
  location: site.location
  tags: site.tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: logs.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
    DisableIpMasking: false
  }
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in publishers: {
    scope: insights
    name: guid(insights.id, id, roles.metricsPublisher)
    properties: {
      principalId: id
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.metricsPublisher)
    }
  }
]

resource told 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${site.token}'
  location: 'global'
  tags: site.tags
  properties: {
    groupShortName: 'dragoman'
    enabled: true
    emailReceivers: [
      for (address, index) in emails: {
        name: 'email-${index}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(insights.id, 'dragoman')
  location: site.location
  tags: site.tags
  kind: 'shared'
  properties: {
    displayName: 'Dragoman'
    category: 'workbook'
    sourceId: insights.id
    serializedData: loadTextContent('workbook.json')
  }
}

module budget 'budget.bicep' = {
  params: { name: 'budget-${site.token}', amountUsd: size.monthlyBudgetUsd, start: budgetStart, emails: emails }
}

output logsId string = logs.id
output insightsId string = insights.id
output toldId string = told.id
@description('Where traces go. It names an instrumentation key, which opens nothing: local authentication is off.')
output connectionString string = insights.properties.ConnectionString
