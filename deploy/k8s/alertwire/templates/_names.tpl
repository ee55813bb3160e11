{{/* What things are called. */}}

{{- define "alertwire.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "alertwire.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "alertwire.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Of (root, component): the labels by which a component's pods are found. They never change. */}}
{{- define "alertwire.selector" -}}
app.kubernetes.io/name: {{ include "alertwire.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Of (root, component): the labels of every object. */}}
{{- define "alertwire.labels" -}}
{{- $version := .root.Values.image.tag | default .root.Chart.AppVersion -}}
{{ include "alertwire.selector" . }}
app.kubernetes.io/part-of: alertwire
app.kubernetes.io/version: {{ $version | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .shard }}
alertwire/shard: {{ . | quote }}
{{- end }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Of (root, component, [suffix], [annotations]): an object's metadata. */}}
{{- define "alertwire.metadata" -}}
name: {{ include "alertwire.fullname" .root }}-{{ .suffix | default .component }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "alertwire.labels" . | nindent 2 }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Of (root, service, image): a service's image, by digest where there is one. */}}
{{- define "alertwire.image" -}}
{{- $base := printf "%s%s" .root.Values.image.repositoryPrefix .service -}}
{{- with .root.Values.image.registry -}}
{{- $base = printf "%s/%s" (trimSuffix "/" .) $base -}}
{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $base .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $base (.image.tag | default .root.Values.image.tag | required (printf "image.tag or the digest of %s is needed" .service)) -}}
{{- end -}}
{{- end }}

{{/* Of root: not empty where `helm test` has something to do. */}}
{{- define "alertwire.tested" -}}
{{- if or .Values.test.webhook.name .Values.test.route }}yes{{ end -}}
{{- end }}
