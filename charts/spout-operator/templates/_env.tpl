{{/* The settings of the operator, as environment variables that `spout-operator run --help` lists. */}}
{{- define "spout-operator.env" -}}
- name: POD_NAMESPACE
  valueFrom:
    fieldRef: {fieldPath: metadata.namespace}
- name: SPOUT_OPERATOR_LEASE
  value: $(POD_NAMESPACE)/{{ include "spout-operator.fullname" . }}
- name: SPOUT_OPERATOR_PACHD_ADDRESS
  value: {{ .Values.pachyderm.address | quote }}
{{- if .Values.pachyderm.tokenSecret.name }}
- name: SPOUT_OPERATOR_PACHD_TOKEN_FILE
  value: /etc/pachyderm/token
{{- end }}
{{- if .Values.pachyderm.caSecret.name }}
- name: SPOUT_OPERATOR_PACHD_CA_FILE
  value: /etc/pachyderm/ca.crt
{{- end }}
{{- with .Values.watchNamespaces }}
- name: SPOUT_OPERATOR_NAMESPACES
  value: {{ join " " . | quote }}
{{- end }}
- name: SPOUT_OPERATOR_POLICY
  value: /etc/spout-operator/policy.yaml
{{- with .Values.clusterId }}
- name: SPOUT_OPERATOR_CLUSTER_ID
  value: {{ . | quote }}
{{- end }}
- name: SPOUT_OPERATOR_POLL_INTERVAL
  value: {{ .Values.pollInterval | quote }}
- name: SPOUT_OPERATOR_QUIET_INTERVAL
  value: {{ .Values.quietInterval | quote }}
- name: SPOUT_OPERATOR_STATUS_INTERVAL
  value: {{ .Values.statusInterval | quote }}
- name: SPOUT_OPERATOR_SHOW_USER_LOG_LINES
  value: {{ .Values.showUserLogLines | int | quote }}
- name: SPOUT_OPERATOR_SPOUT_METRICS_LIMIT
  value: {{ .Values.metrics.spoutSeriesLimit | int | quote }}
- name: SPOUT_OPERATOR_LOG_FORMAT
  value: {{ .Values.logFormat }}
- name: SPOUT_OPERATOR_LOG_LEVEL
  value: {{ .Values.logLevel }}
{{- with .Values.tracing.endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
