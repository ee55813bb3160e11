{{/*
The alerts of deploy/prometheus, for this installation alone: a service that is missing here must not
be hidden by one of the same name in another namespace, so each metric is asked for by namespace.
*/}}
{{- define "alertwire.rules" -}}
{{- $rules := .Values.monitoring.rules -}}
{{- $found := .Files.Get "files/alertwire.rules.yml" | fromYaml -}}
{{- $here := printf "namespace=%q" .Release.Namespace -}}
{{- range $group := $found.groups -}}
{{- range $rule := $group.rules -}}
{{- $_ := set $rule.annotations "runbook_url" (printf "%s%s" $rules.runbookBaseUrl $rule.annotations.runbook_url) -}}
{{- if $rules.perNamespace -}}
{{- $expr := regexReplaceAll "\\b(alertwire_[a-z0-9_]+|up)\\{" $rule.expr (printf "${1}{%s," $here) -}}
{{- $expr = regexReplaceAll "\\b(alertwire_[a-z0-9_]+)([^a-z0-9_{]|$)" $expr (printf "${1}{%s}${2}" $here) -}}
{{- $_ := set $rule "expr" $expr -}}
{{- $_ := set $rule.labels "namespace" $.Release.Namespace -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end }}
