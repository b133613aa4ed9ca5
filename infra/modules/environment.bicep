// Where containers run.
import { place } from 'types.bicep'

param site place
param subnetId string
param zoneRedundant bool

resource environment 'Microsoft.App/managedEnvironments@2026-01-01' = {
  name: 'cae-${site.token}'
  location: site.location
  tags: site.tags
  properties: {
    zoneRedundant: zoneRedundant
    vnetConfiguration: { infrastructureSubnetId: subnetId, internal: false }
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
    // Through diagnostic settings: Log Analytics by itself would want its key.
    appLogsConfiguration: { destination: 'azure-monitor' }
    peerTrafficConfiguration: { encryption: { enabled: true } }
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: environment
  name: 'logs'
  properties: {
    workspaceId: site.logsId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

output id string = environment.id
