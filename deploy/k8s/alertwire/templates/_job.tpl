{{/*
A Job of the command line's image. As Helm's hook it runs to its end before anything else is changed,
and what it needs (service account, network policy) comes before it with a lower weight; else it is a
Job beside the rest, with a name that changes with what it does, since a Job cannot be changed.
*/}}

{{/* Of (weight): the annotations of what belongs to a hook. */}}
{{- define "alertwire.hook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{/* Of (root, component, weight, args, env, files). */}}
{{- define "alertwire.job" -}}
{{- $root := .root -}}
{{- $hooks := $root.Values.useHelmHooks -}}
{{- $image := include "alertwire.image" (dict "root" $root "service" "cli" "image" $root.Values.cli.image) -}}
{{- $suffix := .component -}}
{{- if not $hooks -}}
{{- $does := list $image .args .env .files $root.Values.cli.resources | toJson | sha256sum | trunc 8 -}}
{{- $suffix = printf "%s-%d-%s" .component $root.Release.Revision $does -}}
{{- end -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "alertwire.metadata" (dict
    "root" $root "component" .component "suffix" $suffix
    "annotations" ($hooks | ternary (include "alertwire.hook" . | fromYaml) nil)) | nindent 2 }}
spec:
  backoffLimit: {{ $root.Values.jobs.backoffLimit }}
  activeDeadlineSeconds: {{ $root.Values.jobs.activeDeadlineSeconds }}
  {{- if not $hooks }}
  ttlSecondsAfterFinished: {{ $root.Values.jobs.ttlSecondsAfterFinished }}
  {{- end }}
  template:
    metadata:
      labels:
        {{- include "alertwire.labels" . | nindent 8 }}
    spec:
      {{- include "alertwire.podSecurity" . | nindent 6 }}
      restartPolicy: OnFailure
      containers:
        - name: {{ .component }}
          {{- include "alertwire.cliContainer" (merge (dict "image" $image) .) | nindent 10 }}
      volumes:
        {{- include "alertwire.volumes" .files | nindent 8 }}
{{- end }}

{{/* Of (root, image, args, env, files): the command's container. */}}
{{- define "alertwire.cliContainer" -}}
image: {{ .image }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args:
  {{- toYaml .args | nindent 2 }}
securityContext:
  {{- include "alertwire.containerSecurity" . | nindent 2 }}
{{- $env := printf "%s%s" (include "alertwire.variables" .env) (include "alertwire.fileVariables" .files) }}
{{- with $env }}
env:
  {{- . | trim | nindent 2 }}
{{- end }}
resources:
  {{- toYaml .root.Values.cli.resources | nindent 2 }}
volumeMounts:
  {{- include "alertwire.mounts" .files | nindent 2 }}
{{- end }}
