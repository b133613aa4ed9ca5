// A private endpoint of a resource, under the names by which it is reached.
import { place } from 'types.bicep'

param site place
param name string
param targetId string
@description('What of the resource is reached, such as blob.')
param part string
param zoneNames string[]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' existing = [for zone in zoneNames: { name: zone }]

resource endpoint 'Microsoft.Network/privateEndpoints@2025-09-01' = {
  name: 'pe-${name}'
  location: site.location
  tags: site.tags
  properties: {
    subnet: { id: site.subnetId }
    privateLinkServiceConnections: [
      {
        name: part
        properties: {
          privateLinkServiceId: targetId
          groupIds: [part]
        }
      }
    ]
  }
}

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-09-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      for (zone, index) in zoneNames: {
        name: replace(zone, '.', '-')
        properties: { privateDnsZoneId: zones[index].id }
      }
    ]
  }
}
