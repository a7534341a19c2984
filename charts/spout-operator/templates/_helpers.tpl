{{- define "spout-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "spout-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "spout-operator.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "spout-operator.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "spout-operator.account" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "spout-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is required if serviceAccount.create is false: set it to an existing ServiceAccount" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "spout-operator.selector" -}}
app.kubernetes.io/name: {{ include "spout-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* The labels of the Pod of `helm test`. The selector of the operator's Pods must not match them. */}}
{{- define "spout-operator.testSelector" -}}
app.kubernetes.io/name: {{ include "spout-operator.fullname" . }}-test
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "spout-operator.labels" -}}
{{ include "spout-operator.selector" . }}
{{ include "spout-operator.commonLabels" . }}
{{- end }}

{{- define "spout-operator.commonLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: spout-operator
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "spout-operator.image" -}}
{{- with .Values.image }}
{{- with .registry }}{{ . }}/{{ end }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
{{- end }}
{{- end }}

{{/* The subject of all bindings: the ServiceAccount of the operator. */}}
{{- define "spout-operator.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "spout-operator.account" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}

{{/* The operator's rights to Spouts and their Events. Of a Spout it patches only the finalizers, never the spec. */}}
{{- define "spout-operator.spoutRules" -}}
- apiGroups: [spout-operator.io]
  resources: [spouts]
  verbs: [get, list, watch, patch]
- apiGroups: [spout-operator.io]
  resources: [spouts/status]
  verbs: [patch]
# An Event that happens again within minutes becomes a series, which is a patch.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
