{{/*
A Deployment of one of the five services. Of a dict:
  root, component   as everywhere
  suffix, shard     of a shard: the end of the name, and its number as text
  settings          the component's values
  replicas          how many; null leaves that to an autoscaler
  strategy          of the rollout
  env               variables without secrets
  files             see _secrets.tpl
  folders           existing secrets mounted whole: {name, secret, path}
  ports             further ports by name
  nodeSelector, tolerations, affinity, podAnnotations    beside those of the settings
*/}}
{{- define "alertwire.deployment" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $common := dict
  "ALERTWIRE_NATS_URL" (include "alertwire.natsUrl" $root)
  "ALERTWIRE_HEALTH_HOST" $values.listenAddress
  "ALERTWIRE_HEALTH_PORT" "9090"
  "ALERTWIRE_LOG_LEVEL" $values.logLevel
  "OTEL_EXPORTER_OTLP_ENDPOINT" $values.telemetry.endpoint
  "OTEL_TRACES_SAMPLER_ARG" (ternary (toString $values.telemetry.sampleRatio) "" (ne $values.telemetry.endpoint ""))
-}}
{{- $env := mergeOverwrite $common .env .settings.env -}}
{{- $annotations := merge (dict) (.podAnnotations | default dict) .settings.podAnnotations $values.podAnnotations -}}
{{- $leastSeconds := add (int .settings.drainSeconds) 15 -}}
{{- if lt (int .settings.terminationGracePeriodSeconds) (int $leastSeconds) -}}
{{- fail (printf "%s.terminationGracePeriodSeconds must be %d or more: what it drains, and the stop after it" .component $leastSeconds) -}}
{{- end -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "alertwire.metadata" . | nindent 2 }}
spec:
  {{- if kindIs "invalid" .replicas | not }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy:
    {{- toYaml .strategy | nindent 4 }}
  selector:
    matchLabels:
      {{- include "alertwire.selector" . | nindent 6 }}
      {{- with .shard }}
      alertwire/shard: {{ . | quote }}
      {{- end }}
  template:
    metadata:
      labels:
        {{- include "alertwire.labels" . | nindent 8 }}
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        # Settings and secrets are read once; the content of a secret is not seen here.
        checksum/config: {{ list $env .files $values.secretsRevision | toJson | sha256sum }}
        {{- with $annotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- include "alertwire.podSecurity" . | nindent 6 }}
      terminationGracePeriodSeconds: {{ .settings.terminationGracePeriodSeconds }}
      {{- with .settings.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with merge (dict) (.nodeSelector | default dict) .settings.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with concat (.tolerations | default list) .settings.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .settings.topologySpread }}
      {{- with include "alertwire.topologySpread" (merge (dict "spread" .) $) }}
      topologySpreadConstraints:
        {{- . | trim | nindent 8 }}
      {{- end }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "alertwire.image" (dict "root" $root "service" .component "image" .settings.image) }}
          imagePullPolicy: {{ $values.image.pullPolicy }}
          securityContext:
            {{- include "alertwire.containerSecurity" . | nindent 12 }}
          env:
            {{- printf "%s%s" (include "alertwire.variables" $env) (include "alertwire.fileVariables" .files) | trim | nindent 12 }}
          ports:
            - name: health
              containerPort: 9090
            {{- range $name, $port := .ports }}
            - name: {{ $name }}
              containerPort: {{ $port }}
            {{- end }}
          # Begun: the process lives. Ready: nothing is missing. Live asks nobody else.
          startupProbe:
            httpGet: {path: /health/live, port: health}
            periodSeconds: 2
            failureThreshold: 30
          readinessProbe:
            httpGet: {path: /health/ready, port: health}
            periodSeconds: 3
            timeoutSeconds: 2
            failureThreshold: 2
          livenessProbe:
            httpGet: {path: /health/live, port: health}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          resources:
            {{- toYaml .settings.resources | nindent 12 }}
          volumeMounts:
            {{- include "alertwire.mounts" .files | nindent 12 }}
            {{- range .folders }}
            - name: {{ .name }}
              mountPath: {{ .path }}
              readOnly: true
            {{- end }}
      volumes:
        {{- include "alertwire.volumes" .files | nindent 8 }}
        {{- range .folders }}
        - name: {{ .name }}
          secret:
            secretName: {{ .secret }}
            defaultMode: 0440
        {{- end }}
{{- end }}
