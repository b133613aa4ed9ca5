// PostgreSQL, which knows no passwords: the service shows a token of its identity for every connection.
import { place, sizes } from 'types.bicep'

param site place
param size sizes
param zoneRedundant bool
@description('Who brings the tables up to date, and works with them.')
param ownerId string
param ownerName string

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' = {
  name: 'psql-${site.token}'
  location: site.location
  tags: site.tags
  sku: { name: size.databaseSku, tier: size.databaseTier }
  properties: {
    version: '17'
    authConfig: {
      activeDirectoryAuth: 'Enabled'
      passwordAuth: 'Disabled'
      tenantId: tenant().tenantId
    }
    storage: { storageSizeGB: size.databaseGb, autoGrow: 'Enabled' }
    backup: { backupRetentionDays: size.backupDays, geoRedundantBackup: 'Disabled' }
    highAvailability: { mode: zoneRedundant ? 'ZoneRedundant' : 'Disabled' }
    network: { publicNetworkAccess: empty(site.subnetId) ? 'Enabled' : 'Disabled' }
  }
}

resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2025-08-01' = {
  parent: server
  name: 'dragoman'
  properties: { charset: 'UTF8', collation: 'en_US.utf8' }
}

// One change at a time: after the database. Nothing else lives on this server.
resource owner 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2025-08-01' = {
  parent: server
  name: ownerId
  properties: { principalName: ownerName, principalType: 'ServicePrincipal', tenantId: tenant().tenantId }
  dependsOn: [database]
}

// These addresses mean: from within Azure. Tokens decide who of them comes in.
resource azure 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2025-08-01' = if (empty(site.subnetId)) {
  parent: server
  name: 'azure'
  properties: { startIpAddress: '0.0.0.0', endIpAddress: '0.0.0.0' }
  dependsOn: [owner]
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: server
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
    name: 'psql-${site.token}'
    targetId: server.id
    part: 'postgresqlServer'
    zoneNames: ['privatelink.postgres.database.azure.com']
  }
}

output id string = server.id
@description('SQLAlchemy\'s URL, without a password.')
output url string = 'postgresql+psycopg://${ownerName}@${server.properties.fullyQualifiedDomainName}/${database.name}?sslmode=verify-full&sslrootcert=system'
