// Who something is: a user-assigned identity, which has its roles before what uses it exists.
import { base } from 'types.bicep'

param site base
@description('Who it is for.')
param whose string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${whose}-${site.token}'
  location: site.location
  tags: site.tags
}

output id string = identity.id
output name string = identity.name
output principalId string = identity.properties.principalId
output clientId string = identity.properties.clientId
