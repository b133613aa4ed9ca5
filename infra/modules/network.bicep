// The network that the service runs in, and the names of private endpoints in it.
import { base } from 'types.bicep'

param site base
param isPrivate bool

var zoneNames = [
  'privatelink.cognitiveservices.azure.com'
  'privatelink.openai.azure.com'
  'privatelink.services.ai.azure.com'
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.vaultcore.azure.net'
  'privatelink.azurecr.io'
  'privatelink.postgres.database.azure.com'
]

resource network 'Microsoft.Network/virtualNetworks@2025-09-01' = {
  name: 'vnet-${site.token}'
  location: site.location
  tags: site.tags
  properties: {
    addressSpace: { addressPrefixes: ['10.20.0.0/16'] }
    subnets: [
      {
        name: 'apps'
        properties: {
          addressPrefix: '10.20.0.0/23'
          delegations: [
            { name: 'apps', properties: { serviceName: 'Microsoft.App/environments' } }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.20.2.0/24'
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for name in (isPrivate ? zoneNames : []): {
    name: name
    location: 'global'
    tags: site.tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (name, index) in (isPrivate ? zoneNames : []): {
    parent: zones[index]
    name: 'service'
    location: 'global'
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

output appsId string = '${network.id}/subnets/apps'
output endpointsId string = '${network.id}/subnets/endpoints'
