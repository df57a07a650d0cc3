{{- /* The pod of one process: {root, process, own}, own being its part of the values. */ -}}
{{- define "prodaccess.pod" -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
{{- $secrets := include "prodaccess.secrets" . | fromJson -}}
metadata:
  labels:
    {{- include "prodaccess.selector" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .process }}
    {{- with $values.pods.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .own.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "prodaccess.serviceAccount" . }}
  # Nothing here talks to Kubernetes. The worker's token for AWS is one of its own.
  automountServiceAccountToken: false
  # Kubernetes would set PRODACCESS_OPS_PORT and the like for its Services, which are names of settings.
  enableServiceLinks: false
  # Each process ends within ten seconds of being asked to; web also waits until nobody sends it anything new.
  terminationGracePeriodSeconds: {{ eq .process "web" | ternary 30 20 }}
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.pods.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    {{- toYaml $values.pods.securityContext | nindent 4 }}
  {{- with $values.pods.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.pods.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.pods.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.pods.topologySpread }}
  topologySpreadConstraints:
    {{- range . }}
    - {{ toYaml . | nindent 6 | trim }}
      labelSelector:
        matchLabels:
          {{- include "prodaccess.selector" $root | nindent 10 }}
          app.kubernetes.io/component: {{ $.process }}
    {{- end }}
  {{- end }}
  {{- if eq $values.policy.source "git" }}
  initContainers:
    # The first copy, before the process looks for it.
    {{- include "prodaccess.gitSync" (dict "root" $root "name" "policy-first" "once" true) | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .process }}
      image: {{ include "prodaccess.image" . }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: {{ eq .process "sealer" | ternary "[worker, --queue, seal]" (printf "[%s]" .process) }}
      env:
        {{- include "prodaccess.env" (merge (dict "secrets" $secrets) .) | nindent 8 }}
      {{- if eq .process "web" }}
      ports:
        - {name: http, containerPort: 3000}
        - {name: ops, containerPort: 3001}
      startupProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      # Not /readyz, which tells of workers and chats: web takes presses and ends while those are away.
      readinessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      lifecycle:
        preStop:
          exec: {command: [sleep, "5"]}
      {{- else }}
      # It asks the process itself, neither Redis nor a chat: a Redis that is away restarts nobody.
      livenessProbe:
        exec: {command: [prodaccess, health, {{ eq .process "sealer" | ternary "worker" .process }}]}
        initialDelaySeconds: 30
        periodSeconds: 30
        timeoutSeconds: 10
        failureThreshold: 3
      {{- end }}
      resources:
        {{- toYaml .own.resources | nindent 8 }}
      securityContext:
        {{- toYaml $values.pods.containerSecurityContext | nindent 8 }}
      volumeMounts:
        - {name: policy, mountPath: /etc/prodaccess/config, readOnly: true}
        - {name: secrets, mountPath: /run/secrets/prodaccess, readOnly: true}
        - {name: tmp, mountPath: /tmp}
        {{- if and (eq .process "worker") (eq $values.worker.aws.identity "projected") }}
        - {name: aws-token, mountPath: /run/secrets/aws, readOnly: true}
        {{- end }}
        {{- with $values.pods.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- if eq $values.policy.source "git" }}
    {{- include "prodaccess.gitSync" (dict "root" $root "name" "policy" "once" false) | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "prodaccess.policyVolume" $root | nindent 4 }}
    # Whole volumes, no subPath: what is rotated or changed arrives while the process runs.
    - name: secrets
      projected:
        defaultMode: 0440
        sources:
          {{- range $variable, $from := $secrets }}
          - secret:
              name: {{ $from.secret }}
              items:
                - {key: {{ $from.key | quote }}, path: {{ include "prodaccess.secretFile" $variable }}}
          {{- end }}
    # For the sign of life that the liveness probe looks at.
    - name: tmp
      emptyDir: {medium: Memory, sizeLimit: 16Mi}
    {{- if and (eq .process "worker") (eq $values.worker.aws.identity "projected") }}
    - name: aws-token
      projected:
        defaultMode: 0440
        sources:
          - serviceAccountToken: {audience: sts.amazonaws.com, expirationSeconds: 3600, path: token}
    {{- end }}
    {{- if eq $values.policy.source "git" }}
    - name: git-tmp
      emptyDir: {sizeLimit: 64Mi}
    {{- with $values.policy.git.existingSecret }}
    - name: git-secret
      secret: {secretName: {{ . }}, defaultMode: 0440}
    {{- end }}
    {{- end }}
    {{- with $values.pods.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{- define "prodaccess.env" -}}
{{- $values := .root.Values -}}
{{- range $variable, $from := .secrets -}}
- {name: {{ $variable }}_FILE, value: /run/secrets/prodaccess/{{ include "prodaccess.secretFile" $variable }}}
{{ end -}}
- {name: HOME, value: /tmp} # libraries ask for one, and a user that the image does not know has none
- {name: PRODACCESS_CONFIG, value: {{ include "prodaccess.policyFolder" .root | quote }}}
- {name: PRODACCESS_POLICY, value: {{ $values.policy.activation }}}
- {name: PRODACCESS_REDIS_DURABILITY, value: {{ $values.redis.durability }}}
- {name: LOG_LEVEL, value: {{ $values.log.level }}}
- {name: LOG_FORMAT, value: {{ $values.log.format }}}
{{- if has .process (list "web" "worker") }}
{{- if $values.slack.enabled }}
- {name: PRODACCESS_COMMAND, value: {{ $values.slack.command | quote }}}
{{- end }}
{{- if $values.teams.enabled }}
- {name: TEAMS_APP_ID, value: {{ $values.teams.appId | quote }}}
- {name: TEAMS_TENANT_ID, value: {{ $values.teams.tenantId | quote }}}
{{- end }}
{{- end }}
{{- if and $values.github.appId (has .process (list "web" "worker")) }}
- {name: GITHUB_API_URL, value: {{ $values.github.apiUrl | quote }}}
{{- end }}
{{- if and $values.github.appId (eq .process "worker") }}
- {name: GITHUB_APP_ID, value: {{ $values.github.appId | quote }}}
{{- end }}
{{- if and $values.gitlab.enabled (eq .process "worker") }}
- {name: GITLAB_API_URL, value: {{ $values.gitlab.apiUrl | quote }}}
{{- end }}
{{- if eq .process "web" }}
- {name: PORT, value: "3000"}
- {name: PRODACCESS_OPS_PORT, value: "3001"}
{{- with $values.gate.url }}
- {name: PRODACCESS_URL, value: {{ . | quote }}}
{{- end }}
{{- with .own.forwardedAllowIps }}
- {name: FORWARDED_ALLOW_IPS, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- if eq .process "worker" }}
{{- with $values.worker.aws.region }}
- {name: AWS_REGION, value: {{ . }}}
{{- end }}
{{- if eq $values.worker.aws.identity "projected" }}
- {name: AWS_ROLE_ARN, value: {{ $values.worker.aws.roleArn | quote }}}
- {name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /run/secrets/aws/token}
{{- end }}
{{- end }}
{{- if include "prodaccess.seals" (dict "root" .root "process" .process) }}
{{- with $values.audit.kmsKeyArn }}
- {name: PRODACCESS_AUDIT_KEY, value: {{ printf "awskms:%s" . | quote }}}
{{- end }}
{{- with $values.audit.bucket }}
- {name: PRODACCESS_AUDIT_BUCKET, value: {{ . | quote }}}
{{- end }}
{{- with $values.audit.retention }}
- {name: PRODACCESS_AUDIT_RETENTION, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- with .own.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "prodaccess.policyVolume" -}}
- name: policy
{{- if eq .Values.policy.source "git" }}
  emptyDir: {sizeLimit: 256Mi}
{{- else }}
  # A key may hold no "/", so each file's path is said. One volume: its files change together.
  configMap:
    name: {{ include "prodaccess.policyConfigMap" . }}
    items:
      {{- if .Values.policy.existingConfigMap.name }}
      {{- range .Values.policy.existingConfigMap.keys }}
      - {key: {{ . | quote }}, path: {{ . | replace "__" "/" | quote }}}
      {{- end }}
      {{- else }}
      {{- range $path, $_ := .Values.policy.files }}
      - {key: {{ $path | replace "/" "__" | quote }}, path: {{ $path | quote }}}
      {{- end }}
      {{- end }}
{{- end }}
{{- end -}}

{{- /* {root, name, once}: git-sync publishes each commit as a whole, behind the link "current". */ -}}
{{- define "prodaccess.gitSync" -}}
{{- $git := .root.Values.policy.git -}}
{{- $context := deepCopy .root.Values.pods.containerSecurityContext -}}
{{- /* ssh wants to know its user by name: the image knows this one, and its files cannot be written. */ -}}
{{- if hasKey .root.Values.pods.securityContext "runAsUser" -}}
{{- $context = merge (dict "runAsUser" 65533 "runAsGroup" 65533) $context -}}
{{- end -}}
- name: {{ .name }}
  image: {{ $git.image }}
  args:
    - --repo={{ $git.repository }}
    - --ref={{ $git.ref }}
    - --root=/git
    - --link=current
    - --depth=1
    - --submodules=off
    {{- if .once }}
    - --one-time
    {{- else }}
    - --period={{ $git.period }}
    - --max-failures=-1
    {{- end }}
    {{- if $git.existingSecret }}
    {{- if hasPrefix "https://" $git.repository }}
    - --password-file=/etc/git-secret/password
    {{- else }}
    - --ssh-key-file=/etc/git-secret/ssh
    - --ssh-known-hosts-file=/etc/git-secret/known_hosts
    {{- end }}
    {{- end }}
  env:
    - {name: HOME, value: /tmp}
    {{- if and $git.existingSecret (hasPrefix "https://" $git.repository) }}
    - name: GITSYNC_USERNAME
      valueFrom: {secretKeyRef: {name: {{ $git.existingSecret }}, key: username}}
    {{- end }}
  resources:
    {{- toYaml $git.resources | nindent 4 }}
  securityContext:
    {{- toYaml $context | nindent 4 }}
  volumeMounts:
    - {name: policy, mountPath: /git}
    - {name: git-tmp, mountPath: /tmp}
    {{- if $git.existingSecret }}
    - {name: git-secret, mountPath: /etc/git-secret, readOnly: true}
    {{- end }}
{{- end -}}
