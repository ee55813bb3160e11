{{/*
Existing secrets as files below /run/alertwire. A component's `files` is a list of
{variable, secret, key, path}: the variable names the file; where the secret has no name there is
neither.
*/}}

{{/* Of files: the environment that names them. */}}
{{- define "alertwire.fileVariables" -}}
{{- range . }}
{{- if and .secret .variable }}
- name: {{ .variable }}
  value: /run/alertwire/{{ .path }}
{{- end }}
{{- end }}
{{- end }}

{{/* Of files: the volume's sources. 0440, so that nobody but the process's group reads them. */}}
{{- define "alertwire.fileSources" -}}
{{- range . }}
{{- if .secret }}
- secret:
    name: {{ .secret }}
    items:
      - key: {{ .key }}
        path: {{ .path }}
        mode: 0440
{{- end }}
{{- end }}
{{- end }}

{{/* Of (root, user): how NATS is reached. JSON, for `fromJsonArray`. */}}
{{- define "alertwire.natsFiles" -}}
{{- $nats := .root.Values.nats -}}
{{- $seed := index $nats.existingSecrets .user -}}
{{- list
  (dict "variable" "ALERTWIRE_NATS_URL_FILE" "secret" $nats.urlSecret.name "key" $nats.urlSecret.key "path" "nats/url")
  (dict "variable" "ALERTWIRE_NATS_NKEY_FILE" "secret" $seed.name "key" $seed.key "path" "nats/seed")
  (dict "variable" "ALERTWIRE_NATS_CA_FILE" "secret" $nats.caSecret.name "key" $nats.caSecret.key "path" "nats/ca.crt")
  | toJson -}}
{{- end }}

{{/* Of (root, user): how Postgres is reached. The certificates are named in its address. */}}
{{- define "alertwire.postgresFiles" -}}
{{- $postgres := .root.Values.postgres -}}
{{- $url := index $postgres.existingSecrets .user -}}
{{- $secret := $url.name -}}
{{- if .root.Values.dev.postgres.enabled -}}
{{- $url = dict "name" (printf "%s-dev" (include "alertwire.fullname" .root)) "key" (printf "%s-url" .user) -}}
{{- end -}}
{{- list
  (dict "variable" "ALERTWIRE_POSTGRES_URL_FILE" "secret" $url.name "key" $url.key "path" "postgres/url")
  (dict "variable" "" "secret" $postgres.caSecret.name "key" $postgres.caSecret.key "path" "postgres/ca.crt")
  | toJson -}}
{{- end }}

{{/* Of root: NATS's address in the environment, where it holds no password. */}}
{{- define "alertwire.natsUrl" -}}
{{- if .Values.dev.nats.enabled -}}
nats://{{ include "alertwire.fullname" . }}-nats:4222
{{- else if not .Values.nats.urlSecret.name -}}
{{- join "," .Values.nats.urls -}}
{{- end -}}
{{- end }}
