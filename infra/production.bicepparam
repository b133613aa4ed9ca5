// Production: it survives the loss of a zone, and is reached through private endpoints but for its own door.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dragoman')
param location = readEnvironmentVariable('AZURE_LOCATION', 'swedencentral')
param operatorId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param operatorKind = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'ServicePrincipal')
param alertEmails = split(readEnvironmentVariable('DRAGOMAN_ALERT_EMAILS'), ',')
param zoneRedundant = true
param privateNetwork = true
param purgeProtection = true
param models = [
  // Prompts stay in the data zone of the region.
  { name: 'gpt-5-mini', version: '2025-08-07', sku: 'DataZoneStandard', capacity: 200 }
]
param size = {
  cpu: '4.0'
  memory: '8Gi'
  leastReplicas: 3
  mostReplicas: 10
  streamsPerReplica: 32
  databaseSku: 'Standard_D2ds_v5'
  databaseTier: 'GeneralPurpose'
  databaseGb: 128
  backupDays: 35
  logsGbPerDay: 10
  monthlyBudgetUsd: 6000
}
param options = {
  entraAudience: readEnvironmentVariable('DRAGOMAN_ENTRA_AUDIENCE')
  entraTenants: readEnvironmentVariable('DRAGOMAN_ENTRA_TENANTS', '')
  image: readEnvironmentVariable('SERVICE_API_IMAGE_NAME', '')
  liveRevision: readEnvironmentVariable('DRAGOMAN_LIVE_REVISION', '')
  insightAtEndpoint: bool(readEnvironmentVariable('DRAGOMAN_INSIGHT_AT_ENDPOINT', 'false'))
  retentionDays: int(readEnvironmentVariable('DRAGOMAN_RETENTION_DAYS', '30'))
  webhookSecret: readEnvironmentVariable('DRAGOMAN_WEBHOOK_SECRET_NAME', '')
  webhookHosts: readEnvironmentVariable('DRAGOMAN_WEBHOOK_HOSTS', '')
}
