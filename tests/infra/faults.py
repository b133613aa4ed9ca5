"""Faults as people make them, each an edit of one file, with the name of the problem that must be found."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Fault:
    """``old`` becomes ``new`` in a file; ``code`` is the problem, whose text holds ``says``."""

    name: str
    file: str
    old: str
    new: str
    code: str
    says: str = ""

    def seed(self, folder: Path) -> None:
        """Make the fault in a copy of the templates."""
        path = folder / self.file
        text = path.read_text(encoding="utf-8")
        assert self.old in text, f"{self.file} no longer has {self.old!r}"
        path.write_text(text.replace(self.old, self.new, 1), encoding="utf-8")


AI, API, DATABASE, STORAGE = "modules/ai.bicep", "modules/api.bicep", "modules/database.bicep", "modules/storage.bicep"
TYPES, MONITORING, ALERTS, WORKSPACE = (
    f"modules/{each}.bicep" for each in ("types", "monitoring", "alerts", "workspace")
)

OURS: Final = (
    # Who may do what
    Fault("wrong-role", "main.bicep", "roles.blobContributor }", "roles.blobReader }", "role-missing", "Data Contributor"),
    Fault("role-forgotten", "main.bicep", "      { id: service, role: roles.speechUser }\n", "", "role-missing", "Speech"),
    Fault("role-of-nobody", TYPES, "f2dc8367-1007", "f2dc8367-1008", "role-unknown"),
    Fault("owner", TYPES, "ba92f5b4-2d11-453d-a403-e96b0029c9fe", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "role-unknown"),
    Fault("roles-swapped", "main.bicep", "{ id: flow, role: roles.openaiUser }", "{ id: flow, role: roles.speechUser }", "role-excess"),
    Fault("role-of-the-group", AI, "    scope: account\n    name: guid(", "    name: guid(", "role-scope"),
    Fault("role-of-a-user", "modules/registry.bicep", "'ServicePrincipal'", "'User'", "role-principal"),
    Fault("flow-cannot-pull", "main.bicep", "pullers: [service, flow]", "pullers: [service]", "role-missing", "AcrPull"),
    # Keys
    Fault("subdomain", AI, "    customSubDomainName: 'ai-${site.token}'\n", "", "subdomain"),
    Fault("ai-key", AI, "disableLocalAuth: true", "disableLocalAuth: false", "keyless", "disableLocalAuth"),
    Fault("storage-key", STORAGE, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true", "keyless", "allowSharedKeyAccess"),
    Fault("public-blobs", STORAGE, "allowBlobPublicAccess: false", "allowBlobPublicAccess: true", "keyless", "allowBlobPublicAccess"),
    Fault("open-container", STORAGE, "publicAccess: 'None'", "publicAccess: 'Blob'", "keyless", "publicAccess"),
    Fault("old-tls", STORAGE, "'TLS1_2'", "'TLS1_0'", "keyless", "minimumTlsVersion"),
    Fault("admin-of-registry", "modules/registry.bicep", "adminUserEnabled: false", "adminUserEnabled: true", "keyless", "adminUser"),
    Fault("passwords", DATABASE, "passwordAuth: 'Disabled'", "passwordAuth: 'Enabled'", "keyless", "passwordAuth"),
    Fault("vault-policies", "modules/vault.bicep", "enableRbacAuthorization: true", "enableRbacAuthorization: false", "keyless", "Rbac"),
    Fault("insights-key", MONITORING, "DisableLocalAuth: true", "DisableLocalAuth: false", "keyless", "DisableLocalAuth"),
    Fault("endpoint-key", WORKSPACE, "authMode: 'AADToken'", "authMode: 'Key'", "keyless", "authMode"),
    Fault("datastore-key", WORKSPACE, "systemDatastoresAuthMode: 'Identity'", "systemDatastoresAuthMode: 'AccessKey'", "keyless"),
    Fault("secret-by-value", API, "keyVaultUrl: '${vaultUri}secrets/${webhookSecret}', identity: identityId", "value: webhookSecret", "keyless", "secrets"),
    Fault("secret-output", "main.bicep", "output SERVICE_API_URI", "output STORAGE_KEY", "secret-output"),
    Fault("key-output", STORAGE, "output id string = account.id", "output id string = account.listKeys().keys[0].value", "bicep", "listKeys"),
    # What the service is told
    Fault("env-name", API, "  DRAGOMAN_SPOOL:", "  DRAGOMAN_SPOOL_URL:", "env-unread", "DRAGOMAN_SPOOL_URL"),
    Fault("env-forgotten", API, "  DRAGOMAN_DATABASE_TOKEN: 'true'\n", "", "env-missing", "DRAGOMAN_DATABASE_TOKEN"),
    Fault("env-value", API, "'managed-identity'", "'managed'", "env-value", "DRAGOMAN_AZURE_IDENTITY"),
    Fault("env-key", API, "  DRAGOMAN_DATA: '/data'", "  DRAGOMAN_CHAT_KEY: 'x'\n  DRAGOMAN_DATA: '/data'", "env-key"),
    Fault("wrong-identity", "main.bicep", "clientId: identities[0].", "clientId: identities[1].", "env-identity", "does not have"),
    Fault("identity-by-principal", "main.bicep", "identities[0].outputs.clientId", "service", "env-identity", "no identity"),
    Fault("regional-endpoint", AI, "= account.properties.endpoint", "= 'https://${site.location}.api.cognitive.microsoft.com/'", "env-endpoint"),
    Fault("model-not-deployed", AI, "output chatModel string = deployments[0].name", "output chatModel string = 'gpt-4o'", "env-model"),
    Fault("spool-not-made", STORAGE, "${folder.name}'", "${folder.name}s'", "env-spool"),
    Fault("spool-elsewhere", "main.bicep", "spool: audio.outputs.containerUrl", "spool: audio.outputs.id", "env-spool"),
    Fault("password-in-url", DATABASE, "${ownerName}@$", "${ownerName}:hush@$", "env-database", "password"),
    Fault("no-proof-of-server", DATABASE, "sslmode=verify-full", "sslmode=require", "env-database", "name"),
    Fault("wrong-user", DATABASE, "psycopg://${ownerName}@", "psycopg://dragoman@", "env-database", "nobody"),
    Fault("wrong-database", DATABASE, "/${database.name}?", "/postgres?", "env-database", "no such database"),
    Fault("wrong-insight", WORKSPACE, "= endpoint.properties.scoringUri", "= 'https://${endpoint.name}.azureml.net/score'", "env-endpoint"),
    # How it is served
    Fault("sticky", API, "affinity: 'none'", "affinity: 'sticky'", "sticky"),
    Fault("single-revision", API, "activeRevisionsMode: 'Multiple'", "activeRevisionsMode: 'Single'", "revisions"),
    Fault("port", API, "var port = 8090", "var port = 8080", "port"),
    Fault("http2", API, "transport: 'http'", "transport: 'http2'", "websocket"),
    Fault("plain-http", API, "allowInsecure: false", "allowInsecure: true", "insecure"),
    Fault("internal-door", API, "external: true", "external: false", "insecure"),
    Fault("probe-path", API, "path: '/readyz'", "path: '/ready'", "probes", "/ready"),
    Fault("full-is-dead", API, "{ type: 'Liveness', httpGet: { path: '/healthz'", "{ type: 'Liveness', httpGet: { path: '/readyz'", "probes", "dead"),
    Fault("traffic", API, "weight: 0, label: 'next'", "weight: 10, label: 'next'", "traffic"),
    Fault("late-scale", API, "streamsPerReplica * 3 / 4", "streamsPerReplica * 4 / 3", "scale"),
    Fault("asleep", "main.bicepparam", "leastReplicas: 1", "leastReplicas: 0", "replicas"),
    Fault("too-few-connections", "main.bicepparam", "mostReplicas: 2", "mostReplicas: 40", "connections"),
    Fault("odd-size", "main.bicepparam", "memory: '4Gi'", "memory: '6Gi'", "size"),
    # What models may be told
    Fault("told-afterwards", AI, "mode: 'Blocking'", "mode: 'Asynchronous_filter'", "rai", "does not block"),
    Fault("indirect-attack", AI, "'Indirect Attack', source: 'Prompt', enabled: true, blocking: true", "'Indirect Attack', source: 'Prompt', enabled: true, blocking: false", "rai", "Indirect Attack"),
    Fault("jailbreak", AI, "      { name: 'Jailbreak', source: 'Prompt', enabled: true, blocking: true }\n", "", "rai", "Jailbreak"),
    Fault("no-policy", AI, "raiPolicyName: policy.name", "raiPolicyName: 'Microsoft.DefaultV2'", "rai", "no policy of ours"),
    Fault("all-at-once", AI, "@batchSize(1)\n", "", "batch-size"),
    # What is kept
    Fault("kept-for-ever", "main.bicep", "{ prefix: 's_', days: 2 }, ", "", "lifecycle", "for ever"),
    Fault("swept-too-wide", "main.bicep", "{ prefix: 'jobs/',", "{ prefix: '',", "lifecycle", "jobs"),
    Fault("undelete", STORAGE, "deleteRetentionPolicy: { enabled: false }", "deleteRetentionPolicy: { enabled: true, days: 14 }", "erasure"),
    Fault("few-backups", "main.bicepparam", "backupDays: 7", "backupDays: 1", "backup"),
    Fault("one-zone", STORAGE, "zoneRedundant ? 'Standard_ZRS' :", "zoneRedundant ? 'Standard_LRS' :", "zones"),
    Fault("still-public", DATABASE, "'Enabled' : 'Disabled' }", "'Enabled' : 'Enabled' }", "public"),
    Fault("no-private-way", "modules/vault.bicep", "= if (!empty(site.subnetId))", "= if (empty(site.subnetId))", "private-endpoint"),
    Fault("wrong-zone", "modules/vault.bicep", "privatelink.vaultcore.azure.net", "privatelink.vault.azure.net", "dns-zone"),
    # What is seen
    Fault("no-logs", DATABASE, "workspaceId: site.logsId", "workspaceId: server.id", "logs"),
    Fault("silent-alert", ALERTS, "actions: [{ actionGroupId: site.toldId }]", "actions: []", "alert-silent"),
    Fault("alert-on-nothing", "main.bicep", "databaseId: database.outputs.id", "databaseId: '${database.outputs.id}x'", "alert-scope"),
    Fault("query-of-nothing", ALERTS, "session.error", "session.broken", "alert-query", "session.broken"),
    Fault("budget-in-the-middle", "main.bicep", "utcNow('yyyy-MM-01')", "'2026-11-22'", "budget"),
    # Names, and parameters
    Fault("long-name", "modules/vault.bicep", "'kv-${site.token}'", "'dragoman-vault-${site.token}'", "name"),
    Fault("hyphen", "modules/registry.bicep", "'cr${site.token}'", "'cr-${site.token}'", "name"),
    Fault("same-name", "main.bicep", "name: 'st${token}'", "name: 'ml${token}'", "name-twice"),
    Fault("parameter-misspelt", "main.bicepparam", "param privateNetwork", "param privateNet", "bicep", "privateNet"),
    Fault("parameter-missing", "production.bicepparam", "param zoneRedundant = true\n", "", "bicep", "zoneRedundant"),
    Fault("property-missing", "production.bicepparam", "  databaseGb: 128\n", "", "bicep", "databaseGb"),
    Fault("property-misspelt", "production.bicepparam", "  cpu: '4.0'", "  cpus: '4.0'", "bicep", "cpus"),
    Fault("audience", "main.bicepparam", "readEnvironmentVariable('DRAGOMAN_ENTRA_AUDIENCE')", "42", "bicep", "entraAudience"),
    Fault("no-such-output", "main.bicep", "ai.outputs.chatModel", "ai.outputs.model", "bicep"),
    Fault("syntax", AI, "sku: { name: 'S0' }", "sku: { name: 'S0' ", "bicep"),
)  # fmt: skip
"""What the rules and the evaluator find by themselves."""

JUDGED: Final = (
    Fault("unknown-property", AI, "disableLocalAuth:", "disableLocalAuthentication:", "BCP037"),
    Fault("casing", AI, "publicNetworkAccess:", "publicnetworkaccess:", "BCP089"),
    Fault("unknown-version", AI, "raiPolicies@2026-07-01", "raiPolicies@2026-07-02", "BCP081"),
    Fault("unknown-type", API, "Microsoft.App/containerApps@", "Microsoft.App/containerApp@", "BCP081"),
    Fault("unknown-value", API, "activeRevisionsMode: 'Multiple'", "activeRevisionsMode: 'Many'", "STRICT-ENUM"),
    Fault("text-for-truth", MONITORING, "    enabled: true\n", "    enabled: 'yes'\n", "BCP036"),
    Fault("required-property", DATABASE, "sku: { name: size.databaseSku, tier: size.databaseTier }", "sku: { name: size.databaseSku }", "BCP035"),
    Fault("read-only", AI, "    disableLocalAuth: true", "    endpoint: 'x'\n    disableLocalAuth: true", "BCP073"),
    Fault("unused-parameter", "modules/vault.bicep", "param purgeProtection bool", "param purgeProtection bool\nparam other bool = true", "no-unused-params"),
    Fault("unused-variable", API, "var port = 8090", "var door = 1\nvar port = 8090", "no-unused-vars"),
    Fault("unknown-name", AI, "location: site.location", "location: plaice.location", "BCP057"),
    Fault("wrong-module-parameter", "main.bicep", "params: { site: base, whose: whose }", "params: { site: base, who: whose }", "BCP037"),
    Fault("missing-module", "main.bicep", "'modules/ai.bicep'", "'modules/speech.bicep'", "BCP091"),
    Fault("place", STORAGE, "location: site.location", "location: 'westeurope'", "no-hardcoded-location"),
    Fault("host", "modules/network.bicep", "'privatelink.blob.${environment().suffixes.storage}'", "'https://management.azure.com'", "no-hardcoded-env-urls"),
)  # fmt: skip
"""What types are needed for."""
