// What somebody is told of. Each says what to do: infra/README.md, "When an alert comes".
import { place } from 'types.bicep'

param site place
param appId string
param databaseId string
param aiId string

var figures = [
  { name: 'app-restarts', target: appId, metric: 'RestartCount', sum: 'Maximum', above: 2, severity: 2 }
  { name: 'app-memory', target: appId, metric: 'MemoryPercentage', sum: 'Average', above: 85, severity: 2 }
  { name: 'database-storage', target: databaseId, metric: 'storage_percent', sum: 'Average', above: 80, severity: 2 }
  { name: 'database-cpu', target: databaseId, metric: 'cpu_percent', sum: 'Average', above: 80, severity: 3 }
  { name: 'ai-refuses', target: aiId, metric: 'BlockedCalls', sum: 'Total', above: 50, severity: 2 }
]

resource metrics 'Microsoft.Insights/metricAlerts@2026-01-01' = [
  for each in figures: {
    name: '${each.name}-${site.token}'
    location: 'global'
    tags: site.tags
    properties: {
      severity: each.severity
      enabled: true
      scopes: [each.target]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: each.name
            criterionType: 'StaticThresholdCriterion'
            metricName: each.metric
            timeAggregation: each.sum
            operator: 'GreaterThan'
            threshold: each.above
          }
        ]
      }
      actions: [{ actionGroupId: site.toldId }]
    }
  }
]

var told = 'ContainerAppConsoleLogs | extend line = parse_json(Log)'
var queries = [
  {
    name: 'audio-lost'
    severity: 1
    scope: site.logsId
    query: '${told} | where line.event == "session.ended" and todouble(line.lost_s) > 0'
  }
  {
    name: 'sessions-fail'
    severity: 1
    scope: site.logsId
    query: '${told} | where line.event == "session.error"'
  }
  {
    name: 'finals-late'
    severity: 2
    scope: site.insightsId
    query: 'dependencies | where name == "utterance" | summarize p95 = percentile(duration, 95), n = count() | where n >= 20 and p95 > 3000'
  }
]

resource searches 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for each in queries: {
    name: '${each.name}-${site.token}'
    location: site.location
    tags: site.tags
    kind: 'LogAlert'
    properties: {
      displayName: each.name
      severity: each.severity
      enabled: true
      scopes: [each.scope]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      autoMitigate: true
      // The tables are there once something was written to them.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: each.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [site.toldId] }
    }
  }
]
