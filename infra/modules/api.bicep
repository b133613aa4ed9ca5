// The service itself, and all that it is told.
import { behaviour, place, sizes } from 'types.bicep'

param site place
param options behaviour
param size sizes
param subnetId string
param zoneRedundant bool
@description('Its identity: the resource, and the client id that tokens are asked for with.')
param identityId string
param clientId string
param registryServer string
@description('Azure AI Services.')
param aiEndpoint string
param chatModel string
@description('URL of the database, without a password.')
param databaseUrl string
@description('Container for accepted audio.')
param spool string
@description('Where traces go; it opens nothing by itself.')
param insightsConnection string
@description('Scoring address of the Azure ML endpoint.')
param scoringUri string
param vaultUri string

module environment 'environment.bicep' = {
  params: { site: site, subnetId: subnetId, zoneRedundant: zoneRedundant }
}

var port = 8090
var image = options.?image ?? ''
var liveRevision = options.?liveRevision ?? ''
var webhookSecret = options.?webhookSecret ?? ''

var home = tenant().tenantId
var tenants = !empty(options.entraTenants) ? options.entraTenants : home
var settings = {
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  // What the exporter would tell its makers of itself.
  APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL: 'true'
  DRAGOMAN_AZURE_CLIENT_ID: clientId
  DRAGOMAN_AZURE_ENDPOINTS: aiEndpoint
  DRAGOMAN_AZURE_IDENTITY: 'managed-identity'
  DRAGOMAN_CHAT_ENDPOINT: aiEndpoint
  DRAGOMAN_CHAT_MODEL: chatModel
  DRAGOMAN_DATA: '/data'
  DRAGOMAN_DATABASE_TOKEN: 'true'
  DRAGOMAN_DATABASE_URL: databaseUrl
  DRAGOMAN_ENTRA_AUDIENCE: options.entraAudience
  DRAGOMAN_ENTRA_TENANTS: tenants
  DRAGOMAN_MAX_SESSIONS: string(size.streamsPerReplica)
  DRAGOMAN_OPERATOR_TENANT: home
  DRAGOMAN_RETENTION_DAYS: string(options.retentionDays)
  DRAGOMAN_SPOOL: spool
}
var insight = (options.?insightAtEndpoint ?? false) ? { DRAGOMAN_INSIGHT_ENDPOINT: scoringUri } : {}
var hooks = empty(webhookSecret) ? {} : { DRAGOMAN_WEBHOOK_HOSTS: options.?webhookHosts ?? '' }
// Until the first image was built something else answers in its place, so that there is an app to deploy to.
var stand = empty(image) ? { WHOAMI_PORT_NUMBER: string(port) } : {}
var plain = [for each in items(union(settings, insight, hooks, stand)): { name: each.key, value: each.value }]
var secret = [{ name: 'DRAGOMAN_WEBHOOK_SECRET', secretRef: 'webhook' }]

// Blue and green: while a revision is named live it keeps all traffic, and the next one is reached by its label.
var latest = [{ latestRevision: true, weight: 100, label: 'live' }]
var both = [
  { revisionName: liveRevision, weight: 100, label: 'live' }
  { latestRevision: true, weight: 0, label: 'next' }
]

resource app 'Microsoft.App/containerApps@2026-01-01' = {
  name: 'ca-${site.token}'
  location: site.location
  tags: union(site.tags, { 'azd-service-name': 'api' })
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    environmentId: environment.outputs.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Multiple'
      maxInactiveRevisions: 5
      registries: [{ server: registryServer, identity: identityId }]
      secrets: empty(webhookSecret)
        ? []
        : [{ name: 'webhook', keyVaultUrl: '${vaultUri}secrets/${webhookSecret}', identity: identityId }]
      ingress: {
        external: true
        targetPort: port
        // HTTP/1.1, as WebSockets begin with it. The ingress ends an idle one after 4 minutes; we ping every 5 s.
        transport: 'http'
        allowInsecure: false
        // A session goes on at any replica: nobody has to come back to the same one.
        stickySessions: { affinity: 'none' }
        traffic: empty(liveRevision) ? latest : both
      }
    }
    template: {
      // Streams are told to resume elsewhere within 5 s; jobs are left to another replica.
      terminationGracePeriodSeconds: 60
      containers: [
        {
          name: 'api'
          image: empty(image) ? 'traefik/whoami:v1.11' : image
          env: concat(plain, empty(webhookSecret) ? [] : secret)
          resources: { cpu: json(size.cpu), memory: size.memory }
          volumeMounts: [{ volumeName: 'data', mountPath: settings.DRAGOMAN_DATA }]
          probes: [
            { type: 'Startup', httpGet: { path: '/healthz', port: port }, periodSeconds: 3, failureThreshold: 40 }
            { type: 'Liveness', httpGet: { path: '/healthz', port: port }, periodSeconds: 10, failureThreshold: 3 }
            // Loads the models the first time; answers 503 while there is no room for another stream.
            { type: 'Readiness', httpGet: { path: '/readyz', port: port }, periodSeconds: 10, timeoutSeconds: 5 }
          ]
        }
      ]
      volumes: [{ name: 'data', storageType: 'EmptyDir' }]
      scale: {
        minReplicas: size.leastReplicas
        maxReplicas: size.mostReplicas
        // A stream is one request as long as it lasts. Replicas come at three quarters, before there is no room.
        rules: [
          { name: 'streams', http: { metadata: { concurrentRequests: string(size.streamsPerReplica * 3 / 4) } } }
        ]
      }
    }
  }
}

output id string = app.id
output name string = app.name
output uri string = 'https://${app.properties.configuration.ingress.fqdn}'
