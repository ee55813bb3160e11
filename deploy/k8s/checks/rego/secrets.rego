# METADATA
# title: No secret stands in a manifest
# description: Manifests are stored, copied and shown; secrets exist beforehand and are mounted as files.
# custom:
#   id: AW-0003
#   severity: CRITICAL
#   input:
#     selector:
#     - type: kubernetes
package user.alertwire.secrets

import rego.v1

# Written by tools/charting/scanning.py: a rule sees no other document than this one.
production if input.metadata.annotations["checks.alertwire/production"] == "true"

deny contains res if {
	input.kind == "Secret"
	production
	res := result.new(sprintf("Secret %s is part of the manifests", [input.metadata.name]), input.metadata)
}

containers contains container if {
	pod := object.get(input.spec, "template", input)
	some kind in ["containers", "initContainers"]
	some container in pod.spec[kind]
}

deny contains res if {
	production
	some container in containers
	some variable in container.env
	regex.match(`(?i)(password|secret|token|nkey|seed|private)`, variable.name)
	not regex.match(`(_FILE|_DIR|_PATH)$`, variable.name)
	count(object.get(variable, "value", "")) > 0
	res := result.new(sprintf("%s has its value in the manifest", [variable.name]), input.metadata)
}

deny contains res if {
	production
	some container in containers
	some variable in container.env
	variable.valueFrom.secretKeyRef
	res := result.new(sprintf("%s brings a secret as a variable, and not as a file", [variable.name]), input.metadata)
}

# An address with a password, the seed of a NATS key, a private key.
deny contains res if {
	production
	some container in containers
	some variable in container.env
	regex.match(`[a-z]+://[^/\s:@]*:[^/\s@$]+@|\bS[UAONC][A-Z2-7]{56}\b|PRIVATE KEY-----`, object.get(variable, "value", ""))
	res := result.new(sprintf("%s holds what looks like a secret", [variable.name]), input.metadata)
}
