// What several modules speak of. A grant is a built-in role of a principal, on the resource of the module it is given to.

@export()
@description('Where an environment is, and its own part of every name: 13 letters and digits.')
type base = {
  location: string
  token: string
  tags: object
}

@export()
@description('What all resources of an environment have in common.')
type place = {
  location: string
  token: string
  tags: object
  @description('Log Analytics, Application Insights, and the group of those who are told of alerts.')
  logsId: string
  insightsId: string
  toldId: string
  @description('Where private endpoints are; empty: resources are reached publicly.')
  subnetId: string
}

@export()
type grant = {
  id: string
  role: string
  @description('ServicePrincipal, if it is not said.')
  kind: string?
}

@export()
@description('A deployment of a language model. Versions retire: their dates are on the models page of Azure.')
type model = {
  name: string
  version: string
  @description('Standard, GlobalStandard or DataZoneStandard: where prompts may be processed.')
  sku: string
  @description('Thousands of tokens per minute.')
  capacity: int
}

@export()
type sizes = {
  @description('CPU and memory of a replica, as Container Apps pair them: 2.0 and 4Gi.')
  cpu: string
  memory: string
  leastReplicas: int
  mostReplicas: int
  @description('Live streams that a replica bears: what dragoman doctor --calibrate finds.')
  streamsPerReplica: int
  databaseSku: string
  databaseTier: 'Burstable' | 'GeneralPurpose' | 'MemoryOptimized'
  databaseGb: int
  backupDays: int
  @description('What may be logged on a day, so that a loop of errors costs no fortune; -1 for no limit.')
  logsGbPerDay: int
  monthlyBudgetUsd: int
}

@export()
@description('How the service behaves. Everything that is not said is empty, or off.')
type behaviour = {
  @description('Application (client) id in Entra that tokens for the service must be for.')
  @minLength(36)
  @maxLength(36)
  entraAudience: string
  @description('Tenants whose tokens open it, with commas; empty: the one it is deployed in.')
  entraTenants: string
  @description('Image to run; none before the first was built.')
  image: string?
  @description('Revision that keeps all traffic while the latest is tried; without one the latest has it.')
  liveRevision: string?
  @description('Whether insight is asked at the Azure ML endpoint: once a deployment stands behind it.')
  insightAtEndpoint: bool?
  @description('How long transcripts are kept, in days.')
  retentionDays: int
  @description('Name of the secret in the vault that webhooks are signed with.')
  webhookSecret: string?
  @description('Hosts that may be told of jobs, with commas.')
  webhookHosts: string?
}

@export()
@description('Ids of built-in roles: the same in every tenant.')
var roles = {
  acrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
  azuremlDataScientist: 'f6c7c914-8db3-469d-8ca1-694a8f32e121'
  azuremlMetricsWriter: '635dd51f-9968-44d3-b7fb-6d9a6bd613ae'
  blobContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  blobReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  cognitiveServicesUser: 'a97b65f3-24c7-4388-baec-2e87135dc908'
  metricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  openaiUser: '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
  secretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  speechUser: 'f2dc8367-1007-4938-bd23-fe263f013447'
}
