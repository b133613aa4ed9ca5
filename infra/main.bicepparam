// A small environment to try things in. azd sets the variables; infra/README.md says what each of them is.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dragoman-dev')
param location = readEnvironmentVariable('AZURE_LOCATION', 'swedencentral')
param operatorId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param operatorKind = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')
param alertEmails = split(readEnvironmentVariable('DRAGOMAN_ALERT_EMAILS'), ',')
param zoneRedundant = false
param privateNetwork = false
param purgeProtection = false
param models = [
  { name: 'gpt-5-mini', version: '2025-08-07', sku: 'GlobalStandard', capacity: 50 }
]
param size = {
  cpu: '2.0'
  memory: '4Gi'
  leastReplicas: 1
  mostReplicas: 2
  streamsPerReplica: 16
  databaseSku: 'Standard_B2s'
  databaseTier: 'Burstable'
  databaseGb: 32
  backupDays: 7
  logsGbPerDay: 1
  monthlyBudgetUsd: 500
}
param options = {
  entraAudience: readEnvironmentVariable('DRAGOMAN_ENTRA_AUDIENCE')
  entraTenants: readEnvironmentVariable('DRAGOMAN_ENTRA_TENANTS', '')
  image: readEnvironmentVariable('SERVICE_API_IMAGE_NAME', '')
  liveRevision: readEnvironmentVariable('DRAGOMAN_LIVE_REVISION', '')
  insightAtEndpoint: bool(readEnvironmentVariable('DRAGOMAN_INSIGHT_AT_ENDPOINT', 'false'))
  retentionDays: int(readEnvironmentVariable('DRAGOMAN_RETENTION_DAYS', '30'))
}
