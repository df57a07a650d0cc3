{{- define "prodaccess.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- /* Short enough for "-networkpolicy" and the like behind it. */ -}}
{{- define "prodaccess.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "prodaccess.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "prodaccess.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "prodaccess.selector" -}}
app.kubernetes.io/name: {{ include "prodaccess.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "prodaccess.labels" -}}
{{ include "prodaccess.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Of a process: {root, process}. */ -}}
{{- define "prodaccess.image" -}}
{{- $image := .root.Values.image -}}
{{- $tag := .own.tag | default $image.tag | default .root.Chart.AppVersion -}}
{{- if and $image.digest (not .own.tag) -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository $tag -}}
{{- end -}}
{{- end -}}

{{- define "prodaccess.serviceAccount" -}}
{{- .own.serviceAccount.name | default (printf "%s-%s" (include "prodaccess.fullname" .root) .process) -}}
{{- end -}}

{{- define "prodaccess.policyFolder" -}}
{{- if eq .Values.policy.source "git" -}}
{{- printf "/etc/prodaccess/config/current/%s" .Values.policy.git.path | trimSuffix "/" -}}
{{- else -}}
/etc/prodaccess/config
{{- end -}}
{{- end -}}

{{- define "prodaccess.policyConfigMap" -}}
{{- .Values.policy.existingConfigMap.name | default (printf "%s-policy" (include "prodaccess.fullname" .)) -}}
{{- end -}}

{{- /* Which processes there are, as JSON; those that are upgraded first come first. */ -}}
{{- define "prodaccess.processes" -}}
{{- $found := list "worker" "clock" "web" -}}
{{- if .Values.sealer.enabled -}}{{- $found = append $found "sealer" -}}{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- /* Whether this process signs the audit log: {root, process}. */ -}}
{{- define "prodaccess.seals" -}}
{{- $who := ternary "sealer" "worker" .root.Values.sealer.enabled -}}
{{- if and (eq .process $who) (or .root.Values.audit.secretKey .root.Values.audit.kmsKeyArn) -}}yes{{- end -}}
{{- end -}}

{{- /* What comes from the outside: Slack over HTTP, Teams, pipelines, or GitHub. */ -}}
{{- define "prodaccess.isCalled" -}}
{{- if or .Values.gate.url .Values.github.appId .Values.teams.enabled (and .Values.slack.enabled (eq .Values.slack.mode "http")) -}}yes{{- end -}}
{{- end -}}

{{- /* The secrets of one process as JSON: variable -> {secret, key}. Each gets what it needs, and no more. */ -}}
{{- define "prodaccess.secrets" -}}
{{- $values := .root.Values -}}
{{- $name := $values.secrets.existingSecret -}}
{{- $keys := $values.secrets.keys -}}
{{- $found := dict "REDIS_URL" (dict "secret" ($values.redis.existingSecret | default $name) "key" (get $values.redis.keys .process)) -}}
{{- if has .process (list "web" "worker") -}}
  {{- if $values.slack.enabled -}}
    {{- $_ := set $found "SLACK_BOT_TOKEN" (dict "secret" $name "key" $keys.slackBotToken) -}}
  {{- end -}}
  {{- if $values.teams.enabled -}}
    {{- $_ := set $found "TEAMS_APP_PASSWORD" (dict "secret" $name "key" $keys.teamsAppPassword) -}}
  {{- end -}}
  {{- if $values.teams.webhook -}}
    {{- $_ := set $found "TEAMS_WEBHOOK_URL" (dict "secret" $name "key" $keys.teamsWebhookUrl) -}}
  {{- end -}}
  {{- range $variable, $key := $values.secrets.named -}}
    {{- $_ := set $found $variable (dict "secret" $name "key" $key) -}}
  {{- end -}}
{{- end -}}
{{- if and (include "prodaccess.seals" .) $values.audit.secretKey -}}
  {{- $_ := set $found "PRODACCESS_AUDIT_KEY" (dict "secret" $name "key" $values.audit.secretKey) -}}
{{- end -}}
{{- if and (eq .process "web") $values.github.appId -}}
  {{- $_ := set $found "GITHUB_WEBHOOK_SECRET" (dict "secret" $name "key" $keys.githubWebhookSecret) -}}
{{- end -}}
{{- if and (eq .process "worker") $values.github.appId -}}
  {{- $_ := set $found "GITHUB_APP_KEY" (dict "secret" $name "key" $keys.githubAppKey) -}}
{{- end -}}
{{- if and (eq .process "worker") $values.gitlab.enabled -}}
  {{- $_ := set $found "GITLAB_TOKEN" (dict "secret" $name "key" $keys.gitlabToken) -}}
{{- end -}}
{{- if and (eq .process "web") $values.slack.enabled (eq $values.slack.mode "socket") -}}
  {{- $_ := set $found "SLACK_APP_TOKEN" (dict "secret" $name "key" $keys.slackAppToken) -}}
{{- end -}}
{{- if and (has .process (list "web" "worker")) $values.slack.enabled (ne $values.slack.mode "socket") -}}
  {{- /* The worker checks again what Slack signed of votes in production. */ -}}
  {{- $_ := set $found "SLACK_SIGNING_SECRET" (dict "secret" $name "key" $keys.slackSigningSecret) -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- /* `SLACK_BOT_TOKEN` -> `slack-bot-token`: the file's name. */ -}}
{{- define "prodaccess.secretFile" -}}
{{- . | lower | replace "_" "-" -}}
{{- end -}}

{{- /* What cannot work is refused with what to do. */ -}}
{{- define "prodaccess.refuse" -}}
{{- $values := .Values -}}
{{- if not (or $values.slack.enabled $values.teams.enabled) -}}
{{- fail "No chat is on: set slack.enabled or teams.enabled, or both." -}}
{{- end -}}
{{- if and $values.teams.enabled (not (and $values.teams.appId $values.teams.tenantId)) -}}
{{- fail "Teams is on: set teams.appId and teams.tenantId, too." -}}
{{- end -}}
{{- if eq $values.policy.source "git" -}}
  {{- if not $values.policy.git.repository -}}
  {{- fail "policy.source is git: set policy.git.repository." -}}
  {{- end -}}
{{- else if not (or $values.policy.files $values.policy.existingConfigMap.name) -}}
{{- fail "There is no policy: give policy.files (python3 deploy/helm/policy_values.py config > policy.json, then -f policy.json), policy.existingConfigMap, or policy.source=git." -}}
{{- else if and $values.policy.existingConfigMap.name (not $values.policy.existingConfigMap.keys) -}}
{{- fail "policy.existingConfigMap.keys is empty: list the keys, such as [prodaccess.yaml, roles.yaml, environments__orders-prod.yaml]." -}}
{{- end -}}
{{- if and $values.audit.secretKey $values.audit.kmsKeyArn -}}
{{- fail "The audit log has one key: set audit.secretKey or audit.kmsKeyArn, not both." -}}
{{- end -}}
{{- if and (or $values.sealer.enabled $values.audit.bucket) (not (or $values.audit.secretKey $values.audit.kmsKeyArn)) -}}
{{- fail "Nothing signs the audit log: set audit.secretKey (prodaccess audit keygen) or audit.kmsKeyArn." -}}
{{- end -}}
{{- if and $values.valkey.enabled (not $values.valkey.existingSecret) -}}
{{- fail "Valkey is on: set valkey.existingSecret, a Secret with the file of its users." -}}
{{- end -}}
{{- if and (eq $values.worker.aws.identity "projected") (not $values.worker.aws.roleArn) -}}
{{- fail "worker.aws.identity is projected: set worker.aws.roleArn." -}}
{{- end -}}
{{- if and $values.ingress.enabled (not (include "prodaccess.isCalled" .)) -}}
{{- fail "Nothing has to be reachable from outside: Slack is in Socket Mode, Teams is off, gate.url and github.appId are empty. Set slack.mode to http, or leave ingress.enabled false." -}}
{{- end -}}
{{- if and $values.ingress.enabled (not $values.ingress.host) -}}
{{- fail "ingress.enabled is on: set ingress.host." -}}
{{- end -}}
{{- end -}}
