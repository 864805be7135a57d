/**
 * The roles and bindings that every cluster has: the facts of Kubernetes v1.37's bootstrap policy, one role, rule or
 * binding a line. Source: kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy (policy.go, controller_policy.go,
 * namespace_policy.go).
 */
import type { KubeObject } from '#kube/objects.ts';

/**
 * `name +label =selected label` begins a role, `namespace/name` one of a namespace; a line with a space before it is a
 * rule: verbs, then URLs, or groups, resources and names. `>name role subject…` is a binding. The core group is `core`.
 */
const TABLE = `
cluster-admin
 * * *
 * *
system:discovery
 get /api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/
system:monitoring
 get /flagz,/healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/*,/statusz
 get core nodes/metrics
system:basic-user
 create authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews
 create authentication.k8s.io selfsubjectreviews
system:public-info-viewer
 get /healthz,/livez,/readyz,/version,/version/
admin =aggregate-to-admin
edit +aggregate-to-admin =aggregate-to-edit
view +aggregate-to-edit =aggregate-to-view
system:aggregate-to-admin +aggregate-to-admin
 create authorization.k8s.io localsubjectaccessreviews
 create,delete,deletecollection,get,list,patch,update,watch rbac.authorization.k8s.io rolebindings,roles
system:aggregate-to-edit +aggregate-to-edit
 get,list,watch core pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy
 impersonate core serviceaccounts
 create,delete,deletecollection,patch,update core pods,pods/attach,pods/exec,pods/portforward,pods/proxy
 create core pods/eviction
 create,delete,deletecollection,patch,update core configmaps,persistentvolumeclaims,replicationcontrollers,replicationcontrollers/scale,secrets,serviceaccounts,services,services/proxy
 create core serviceaccounts/token
 create,delete,deletecollection,patch,update core,events.k8s.io events
 create,delete,deletecollection,patch,update apps daemonsets,deployments,deployments/rollback,deployments/scale,replicasets,replicasets/scale,statefulsets,statefulsets/scale
 create,delete,deletecollection,patch,update autoscaling horizontalpodautoscalers
 create,delete,deletecollection,patch,update batch cronjobs,jobs
 create,delete,deletecollection,patch,update extensions daemonsets,deployments,deployments/rollback,deployments/scale,ingresses,networkpolicies,replicasets,replicasets/scale,replicationcontrollers/scale
 create,delete,deletecollection,patch,update policy poddisruptionbudgets
 create,delete,deletecollection,patch,update networking.k8s.io ingresses,networkpolicies
 create,delete,deletecollection,get,list,patch,update,watch coordination.k8s.io leases
 create,delete,deletecollection,patch,update resource.k8s.io resourceclaims,resourceclaimtemplates
system:aggregate-to-view +aggregate-to-view
 get,list,watch core configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,pods,replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status
 get,list,watch core bindings,limitranges,namespaces/status,pods/log,pods/status,replicationcontrollers/status,resourcequotas,resourcequotas/status
 get,list,watch core namespaces
 get,list,watch core,events.k8s.io events
 get,list,watch discovery.k8s.io endpointslices
 get,list,watch apps controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,replicasets,replicasets/scale,replicasets/status,statefulsets,statefulsets/scale,statefulsets/status
 get,list,watch autoscaling horizontalpodautoscalers,horizontalpodautoscalers/status
 get,list,watch batch cronjobs,cronjobs/status,jobs,jobs/status
 get,list,watch extensions daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,ingresses,ingresses/status,networkpolicies,replicasets,replicasets/scale,replicasets/status,replicationcontrollers/scale
 get,list,watch policy poddisruptionbudgets,poddisruptionbudgets/status
 get,list,watch networking.k8s.io ingresses,ingresses/status,networkpolicies
 get,list,watch resource.k8s.io resourceclaims,resourceclaims/status,resourceclaimtemplates
system:heapster
 get,list,watch core events,namespaces,nodes,pods
 get,list,watch extensions deployments
system:node
 create authentication.k8s.io tokenreviews
 create authorization.k8s.io localsubjectaccessreviews,subjectaccessreviews
 get,list,watch core services
 create,get,list,watch core nodes
 patch,update core nodes/status
 patch,update core nodes
 create,patch,update core,events.k8s.io events
 get,list,watch core pods
 create,delete core pods
 patch,update core pods/status
 create core pods/eviction
 get,list,watch core configmaps,secrets
 get core persistentvolumeclaims,persistentvolumes
 get core endpoints
 create,get,list,watch certificates.k8s.io certificatesigningrequests
 create,delete,get,patch,update coordination.k8s.io leases
 get storage.k8s.io volumeattachments
 create core serviceaccounts/token
 get,patch,update core persistentvolumeclaims/status
 get,list,watch storage.k8s.io csidrivers
 create,delete,get,patch,update storage.k8s.io csinodes
 get,list,watch node.k8s.io runtimeclasses
 get resource.k8s.io resourceclaims
 deletecollection resource.k8s.io resourceslices
 get,list,watch certificates.k8s.io clustertrustbundles
 get core serviceaccounts
 create,get,list,watch certificates.k8s.io podcertificaterequests
system:node-problem-detector
 get core nodes
 patch core nodes/status
 create,patch,update core,events.k8s.io events
system:node-bootstrapper
 create,get,list,watch certificates.k8s.io certificatesigningrequests
system:auth-delegator
 create authentication.k8s.io tokenreviews
 create authorization.k8s.io subjectaccessreviews
system:kube-aggregator
 get,list,watch core endpoints,services
system:kube-controller-manager
 create,patch,update core,events.k8s.io events
 create coordination.k8s.io leases
 get,update coordination.k8s.io leases kube-controller-manager
 create core secrets,serviceaccounts
 delete core secrets
 get core configmaps,namespaces,secrets,serviceaccounts
 update core secrets,serviceaccounts
 create authentication.k8s.io tokenreviews
 create authorization.k8s.io subjectaccessreviews
 list,watch * *
 create core serviceaccounts/token
system:kube-dns
 list,watch core endpoints,services
system:persistent-volume-provisioner
 create,delete,get,list,watch core persistentvolumes
 get,list,update,watch core persistentvolumeclaims
 get,list,watch storage.k8s.io storageclasses
 watch core events
 create,patch,update core,events.k8s.io events
system:certificates.k8s.io:certificatesigningrequests:nodeclient
 create certificates.k8s.io certificatesigningrequests/nodeclient
system:certificates.k8s.io:certificatesigningrequests:selfnodeclient
 create certificates.k8s.io certificatesigningrequests/selfnodeclient
system:volume-scheduler
 get,list,patch,update,watch core persistentvolumes
 get,list,watch storage.k8s.io storageclasses
 get,list,patch,update,watch core persistentvolumeclaims
system:certificates.k8s.io:legacy-unknown-approver
 approve certificates.k8s.io signers kubernetes.io/legacy-unknown
system:certificates.k8s.io:kubelet-serving-approver
 approve certificates.k8s.io signers kubernetes.io/kubelet-serving
system:certificates.k8s.io:kube-apiserver-client-approver
 approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client
system:certificates.k8s.io:kube-apiserver-client-kubelet-approver
 approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet
system:service-account-issuer-discovery
 get /.well-known/openid-configuration,/.well-known/openid-configuration/,/openid/v1/jwks,/openid/v1/jwks/
system:kubelet-api-admin
 get,list,watch core nodes
 proxy core nodes
 * core nodes/log,nodes/metrics,nodes/proxy,nodes/stats
 * core nodes/configz,nodes/healthz,nodes/pods
system:node-proxier
 list,watch core endpoints,services
 get,list,watch core nodes
 create,patch,update core,events.k8s.io events
 list,watch networking.k8s.io servicecidrs
 list,watch discovery.k8s.io endpointslices
system:kube-scheduler
 create,patch,update core,events.k8s.io events
 create coordination.k8s.io leases
 get,list,update,watch coordination.k8s.io leases kube-scheduler
 create,delete,deletecollection,get,list,patch,update,watch coordination.k8s.io leasecandidates
 get,list,watch core nodes
 delete,get,list,watch core pods
 create core bindings,pods/binding
 patch,update core pods/status
 get,list,watch core replicationcontrollers,services
 get,list,watch apps,extensions replicasets
 get,list,watch apps statefulsets
 get,list,watch policy poddisruptionbudgets
 get,list,watch core persistentvolumeclaims,persistentvolumes
 create authentication.k8s.io tokenreviews
 create authorization.k8s.io subjectaccessreviews
 get,list,watch storage.k8s.io csinodes
 get,list,watch storage.k8s.io volumeattachments
 get,list,watch core namespaces
 get,list,watch storage.k8s.io csidrivers
 get,list,watch storage.k8s.io csistoragecapacities
 get,list,watch resource.k8s.io deviceclasses
 get,list,patch,update,watch resource.k8s.io resourceclaims
 get,list,patch,update,watch resource.k8s.io resourceclaims/status
 update core pods/finalizers
 get,list,watch resource.k8s.io resourceslices
 create,delete resource.k8s.io resourceclaims
 get,list,watch resource.k8s.io devicetaintrules
 patch,update resource.k8s.io resourceclaims/binding
system:cluster-trust-bundle-discovery
 get,list,watch certificates.k8s.io clustertrustbundles
system:controller:attachdetach-controller
 list,watch core persistentvolumeclaims,persistentvolumes
 get,list,watch core nodes
 patch,update core nodes/status
 list,watch core pods
 create,patch,update core,events.k8s.io events
 create,delete,get,list,watch storage.k8s.io volumeattachments
 get,list,watch storage.k8s.io csidrivers
 get,list,watch storage.k8s.io csinodes
system:controller:clusterrole-aggregation-controller
 escalate,get,list,patch,update,watch rbac.authorization.k8s.io clusterroles
system:controller:cronjob-controller
 get,list,update,watch batch cronjobs
 create,delete,get,list,patch,update,watch batch jobs
 update batch cronjobs/status
 update batch cronjobs/finalizers
 delete,list,watch core pods
 create,patch,update core,events.k8s.io events
system:controller:daemon-set-controller
 get,list,watch apps,extensions daemonsets
 update apps,extensions daemonsets/status
 update apps,extensions daemonsets/finalizers
 list,watch core nodes
 create,delete,list,patch,watch core pods
 create core pods/binding
 create,delete,get,list,patch,update,watch apps controllerrevisions
 create,patch,update core,events.k8s.io events
system:controller:deployment-controller
 get,list,update,watch apps,extensions deployments
 update apps,extensions deployments/status
 update apps,extensions deployments/finalizers
 create,delete,get,list,patch,update,watch apps,extensions replicasets
 get,list,update,watch core pods
 create,patch,update core,events.k8s.io events
system:controller:disruption-controller
 get,list,watch apps,extensions deployments
 get,list,watch apps,extensions replicasets
 get,list,watch core replicationcontrollers
 get,list,watch policy poddisruptionbudgets
 get,list,watch apps statefulsets
 update policy poddisruptionbudgets/status
 patch,update core pods/status
 get * */scale
 create,patch,update core,events.k8s.io events
system:controller:endpoint-controller
 get,list,watch core pods,services
 create,delete,get,list,update,watch core endpoints
 create core endpoints/restricted
 create,patch,update core,events.k8s.io events
system:controller:endpointslice-controller
 get,list,watch core nodes,pods,services
 update core services/finalizers
 create,delete,get,list,update,watch discovery.k8s.io endpointslices
 create,patch,update core,events.k8s.io events
system:controller:endpointslicemirroring-controller
 get,list,watch core endpoints,services
 update core services/finalizers
 update core endpoints/finalizers
 create,delete,get,list,update,watch discovery.k8s.io endpointslices
 create,patch,update core,events.k8s.io events
system:controller:expand-controller
 get,list,patch,update,watch core persistentvolumes
 patch,update core persistentvolumeclaims/status
 get,list,watch core persistentvolumeclaims
 create,patch,update core,events.k8s.io events
system:controller:ephemeral-volume-controller
 get,list,watch core pods
 update core pods/finalizers
 create,get,list,watch core persistentvolumeclaims
 create,patch,update core,events.k8s.io events
system:controller:resource-claim-controller
 get,list,watch core pods
 update core pods/finalizers
 create,delete,get,list,watch resource.k8s.io resourceclaims
 patch,update resource.k8s.io resourceclaims,resourceclaims/status
 patch,update core pods/status
 create,patch,update core,events.k8s.io events
 patch,update resource.k8s.io resourceclaims/binding
system:controller:device-taint-eviction-controller
 delete,get,list,watch core pods
 patch,update core pods/status
 get,list,watch resource.k8s.io resourceclaims
 get,list,watch resource.k8s.io resourceslices
 get,list,watch resource.k8s.io deviceclasses
 create,patch,update core,events.k8s.io events
 patch,update resource.k8s.io devicetaintrules/status
 get,list,watch resource.k8s.io devicetaintrules
system:controller:generic-garbage-collector
 delete,get,list,patch,update,watch * *
 create,patch,update core,events.k8s.io events
system:controller:horizontal-pod-autoscaler
 get,list,watch autoscaling horizontalpodautoscalers
 update autoscaling horizontalpodautoscalers/status
 get,update * */scale
 list,watch core pods
 list,watch metrics.k8s.io pods
 get,list,watch custom.metrics.k8s.io *
 get,list,watch external.metrics.k8s.io *
 create,patch,update core,events.k8s.io events
system:controller:job-controller
 get,list,patch,update,watch batch jobs
 update batch jobs/status
 update batch jobs/finalizers
 create,delete,list,patch,watch core pods
 create,patch,update core,events.k8s.io events
system:controller:namespace-controller
 delete,get,list,watch core namespaces
 update core namespaces/finalize,namespaces/status
 delete,deletecollection,get,list,watch * *
system:controller:node-controller
 delete,get,list,patch,update,watch core nodes
 patch,update core nodes/status
 patch,update core pods/status
 delete,get,list,watch core pods
 get,list,watch coordination.k8s.io leases
 create,patch,update core,events.k8s.io events
system:controller:persistent-volume-binder
 create,delete,get,list,update,watch core persistentvolumes
 update core persistentvolumes/status
 get,list,update,watch core persistentvolumeclaims
 update core persistentvolumeclaims/status
 create,delete,get,list,watch core pods
 get,list,watch storage.k8s.io storageclasses
 list,watch core nodes
 create,patch,update core,events.k8s.io events
 watch core events
system:controller:pod-garbage-collector
 delete,list,watch core pods
 get,list,watch core nodes
 patch core pods/status
system:controller:replicaset-controller
 get,list,update,watch apps,extensions replicasets
 update apps,extensions replicasets/status
 update apps,extensions replicasets/finalizers
 create,delete,list,patch,watch core pods
 create,patch,update core,events.k8s.io events
system:controller:replication-controller
 get,list,update,watch core replicationcontrollers
 update core replicationcontrollers/status
 update core replicationcontrollers/finalizers
 create,delete,list,patch,watch core pods
 create,patch,update core,events.k8s.io events
system:controller:resourcequota-controller
 list,watch * *
 update core resourcequotas/status
 create,patch,update core,events.k8s.io events
system:controller:route-controller
 list,watch core nodes
 patch core nodes/status
 create,patch,update core,events.k8s.io events
system:controller:service-account-controller
 create core serviceaccounts
 create,patch,update core,events.k8s.io events
system:controller:service-controller
 get,list,watch core services
 patch,update core services/status
 list,watch core nodes
 create,patch,update core,events.k8s.io events
system:controller:service-cidrs-controller
 get,list,patch,update,watch networking.k8s.io servicecidrs
 patch,update networking.k8s.io servicecidrs/finalizers
 patch,update networking.k8s.io servicecidrs/status
 get,list,watch networking.k8s.io ipaddresses
 create,patch,update core,events.k8s.io events
system:controller:statefulset-controller
 list,watch core pods
 get,list,watch apps statefulsets
 update apps statefulsets/status
 update apps statefulsets/finalizers
 create,delete,get,patch,update core pods
 create,delete,get,list,patch,update,watch apps controllerrevisions
 create,get,list,watch core persistentvolumeclaims
 delete,update core persistentvolumeclaims
 update core pods/finalizers
 create,patch,update core,events.k8s.io events
system:controller:ttl-controller
 list,patch,update,watch core nodes
 create,patch,update core,events.k8s.io events
system:controller:certificate-controller
 delete,get,list,watch certificates.k8s.io certificatesigningrequests
 update certificates.k8s.io certificatesigningrequests/approval,certificatesigningrequests/status
 approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet
 sign certificates.k8s.io signers kubernetes.io/kube-apiserver-client,kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving,kubernetes.io/legacy-unknown
 create authorization.k8s.io subjectaccessreviews
 create,patch,update core,events.k8s.io events
system:controller:podcertificaterequestcleaner
 delete,get,list,watch certificates.k8s.io podcertificaterequests
system:controller:pvc-protection-controller
 get,list,update,watch core persistentvolumeclaims
 update core persistentvolumeclaims/status
 get,list,watch core pods
 create,patch,update core,events.k8s.io events
system:controller:pv-protection-controller
 get,list,update,watch core persistentvolumes
 create,patch,update core,events.k8s.io events
system:controller:volumeattributesclass-protection-controller
 get,list,watch core persistentvolumeclaims
 get,list,watch core persistentvolumes
 get,list,update,watch storage.k8s.io volumeattributesclasses
 create,patch,update core,events.k8s.io events
system:controller:ttl-after-finished-controller
 delete,get,list,watch batch jobs
 create,patch,update core,events.k8s.io events
system:controller:root-ca-cert-publisher
 create,update core configmaps
 create,patch,update core,events.k8s.io events
system:controller:kube-apiserver-serving-clustertrustbundle-publisher
 attest certificates.k8s.io signers kubernetes.io/kube-apiserver-serving
 create,delete,list,update,watch certificates.k8s.io clustertrustbundles
 create,patch,update core,events.k8s.io events
system:controller:validatingadmissionpolicy-status-controller
 get,list,watch admissionregistration.k8s.io validatingadmissionpolicies
 get,patch,update admissionregistration.k8s.io validatingadmissionpolicies/status
 create,patch,update core,events.k8s.io events
system:controller:legacy-service-account-token-cleaner
 get core configmaps kube-apiserver-legacy-service-account-token-tracking
 delete,patch core secrets
system:controller:storage-version-migrator-controller
 list,patch * *
 get apiextensions.k8s.io customresourcedefinitions
 patch apiextensions.k8s.io customresourcedefinitions/status
 update storagemigration.k8s.io storageversionmigrations/status
system:controller:selinux-warning-controller
 create,patch,update core,events.k8s.io events
 get,list,watch core persistentvolumes
 get,list,watch core persistentvolumeclaims
 get,list,watch core pods
 get,list,watch storage.k8s.io csidrivers
>cluster-admin cluster-admin G:system:masters
>system:monitoring system:monitoring G:system:monitoring
>system:discovery system:discovery G:system:authenticated
>system:basic-user system:basic-user G:system:authenticated
>system:public-info-viewer system:public-info-viewer G:system:authenticated G:system:unauthenticated
>system:node-proxier system:node-proxier U:system:kube-proxy
>system:kube-controller-manager system:kube-controller-manager U:system:kube-controller-manager
>system:kube-dns system:kube-dns S:kube-system/kube-dns
>system:kube-scheduler system:kube-scheduler U:system:kube-scheduler
>system:volume-scheduler system:volume-scheduler U:system:kube-scheduler
>system:node system:node 
>system:service-account-issuer-discovery system:service-account-issuer-discovery G:system:serviceaccounts
>system:cluster-trust-bundle-discovery system:cluster-trust-bundle-discovery G:system:serviceaccounts
>system:controller:attachdetach-controller system:controller:attachdetach-controller S:kube-system/attachdetach-controller
>system:controller:clusterrole-aggregation-controller system:controller:clusterrole-aggregation-controller S:kube-system/clusterrole-aggregation-controller
>system:controller:cronjob-controller system:controller:cronjob-controller S:kube-system/cronjob-controller
>system:controller:daemon-set-controller system:controller:daemon-set-controller S:kube-system/daemon-set-controller
>system:controller:deployment-controller system:controller:deployment-controller S:kube-system/deployment-controller
>system:controller:disruption-controller system:controller:disruption-controller S:kube-system/disruption-controller
>system:controller:endpoint-controller system:controller:endpoint-controller S:kube-system/endpoint-controller
>system:controller:endpointslice-controller system:controller:endpointslice-controller S:kube-system/endpointslice-controller
>system:controller:endpointslicemirroring-controller system:controller:endpointslicemirroring-controller S:kube-system/endpointslicemirroring-controller
>system:controller:expand-controller system:controller:expand-controller S:kube-system/expand-controller
>system:controller:ephemeral-volume-controller system:controller:ephemeral-volume-controller S:kube-system/ephemeral-volume-controller
>system:controller:resource-claim-controller system:controller:resource-claim-controller S:kube-system/resource-claim-controller
>system:controller:device-taint-eviction-controller system:controller:device-taint-eviction-controller S:kube-system/device-taint-eviction-controller
>system:controller:generic-garbage-collector system:controller:generic-garbage-collector S:kube-system/generic-garbage-collector
>system:controller:horizontal-pod-autoscaler system:controller:horizontal-pod-autoscaler S:kube-system/horizontal-pod-autoscaler
>system:controller:job-controller system:controller:job-controller S:kube-system/job-controller
>system:controller:namespace-controller system:controller:namespace-controller S:kube-system/namespace-controller
>system:controller:node-controller system:controller:node-controller S:kube-system/node-controller
>system:controller:persistent-volume-binder system:controller:persistent-volume-binder S:kube-system/persistent-volume-binder
>system:controller:pod-garbage-collector system:controller:pod-garbage-collector S:kube-system/pod-garbage-collector
>system:controller:replicaset-controller system:controller:replicaset-controller S:kube-system/replicaset-controller
>system:controller:replication-controller system:controller:replication-controller S:kube-system/replication-controller
>system:controller:resourcequota-controller system:controller:resourcequota-controller S:kube-system/resourcequota-controller
>system:controller:route-controller system:controller:route-controller S:kube-system/route-controller
>system:controller:service-account-controller system:controller:service-account-controller S:kube-system/service-account-controller
>system:controller:service-controller system:controller:service-controller S:kube-system/service-controller
>system:controller:service-cidrs-controller system:controller:service-cidrs-controller S:kube-system/service-cidrs-controller
>system:controller:statefulset-controller system:controller:statefulset-controller S:kube-system/statefulset-controller
>system:controller:ttl-controller system:controller:ttl-controller S:kube-system/ttl-controller
>system:controller:certificate-controller system:controller:certificate-controller S:kube-system/certificate-controller
>system:controller:podcertificaterequestcleaner system:controller:podcertificaterequestcleaner S:kube-system/podcertificaterequestcleaner
>system:controller:pvc-protection-controller system:controller:pvc-protection-controller S:kube-system/pvc-protection-controller
>system:controller:pv-protection-controller system:controller:pv-protection-controller S:kube-system/pv-protection-controller
>system:controller:volumeattributesclass-protection-controller system:controller:volumeattributesclass-protection-controller S:kube-system/volumeattributesclass-protection-controller
>system:controller:ttl-after-finished-controller system:controller:ttl-after-finished-controller S:kube-system/ttl-after-finished-controller
>system:controller:root-ca-cert-publisher system:controller:root-ca-cert-publisher S:kube-system/root-ca-cert-publisher
>system:controller:kube-apiserver-serving-clustertrustbundle-publisher system:controller:kube-apiserver-serving-clustertrustbundle-publisher S:kube-system/kube-apiserver-serving-clustertrustbundle-publisher
>system:controller:validatingadmissionpolicy-status-controller system:controller:validatingadmissionpolicy-status-controller S:kube-system/validatingadmissionpolicy-status-controller
>system:controller:legacy-service-account-token-cleaner system:controller:legacy-service-account-token-cleaner S:kube-system/legacy-service-account-token-cleaner
>system:controller:storage-version-migrator-controller system:controller:storage-version-migrator-controller S:kube-system/storage-version-migrator-controller
>system:controller:selinux-warning-controller system:controller:selinux-warning-controller S:kube-system/selinux-warning-controller
kube-public/system:controller:bootstrap-signer
 get,list,watch core configmaps
 update core configmaps cluster-info
 create,patch,update core,events.k8s.io events
kube-system/extension-apiserver-authentication-reader
 get,list,watch core configmaps extension-apiserver-authentication
kube-system/system:controller:bootstrap-signer
 get,list,watch core secrets
kube-system/system:controller:cloud-provider
 create,get,list,watch core configmaps
kube-system/system:controller:token-cleaner
 delete,get,list,watch core secrets
 create,patch,update core,events.k8s.io events
kube-system/system::leader-locking-kube-controller-manager
 create,get,list,update,watch coordination.k8s.io leases
 create,get,list,update,watch coordination.k8s.io leasecandidates
kube-system/system::leader-locking-kube-scheduler
 create,get,list,update,watch coordination.k8s.io leases
 create,get,list,update,watch coordination.k8s.io leasecandidates
>kube-public/system:controller:bootstrap-signer Role/system:controller:bootstrap-signer S:kube-system/bootstrap-signer
>kube-system/system::extension-apiserver-authentication-reader Role/extension-apiserver-authentication-reader U:system:kube-controller-manager U:system:kube-scheduler
>kube-system/system::leader-locking-kube-controller-manager Role/system::leader-locking-kube-controller-manager U:system:kube-controller-manager S:kube-system/kube-controller-manager S:kube-system/leader-election-controller
>kube-system/system::leader-locking-kube-scheduler Role/system::leader-locking-kube-scheduler U:system:kube-scheduler S:kube-system/kube-scheduler
>kube-system/system:controller:bootstrap-signer Role/system:controller:bootstrap-signer S:kube-system/bootstrap-signer
>kube-system/system:controller:cloud-provider Role/system:controller:cloud-provider S:kube-system/cloud-provider
>kube-system/system:controller:token-cleaner Role/system:controller:token-cleaner S:kube-system/token-cleaner`;

const RBAC = 'rbac.authorization.k8s.io';

/** By these the API server knows its own at start, and mends them. */
const MADE_BY = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };
const SUBJECT: Readonly<Record<string, string>> = { U: 'User', G: 'Group' };

function split(name: string): { readonly name: string; readonly namespace?: string } {
  const slash = name.indexOf('/');
  return slash < 0 ? { name } : { namespace: name.slice(0, slash), name: name.slice(slash + 1) };
}

function subjectOf(text: string): object {
  const name = text.slice(2);
  return text.startsWith('S:')
    ? { kind: 'ServiceAccount', ...split(name) }
    : { kind: SUBJECT[text[0]!], apiGroup: RBAC, name };
}

function ruleOf(words: readonly string[]): object {
  const [verbs, second, third, names] = words.map(word =>
    word.split(',').map(item => (item === 'core' ? '' : item)),
  );
  if (third === undefined) return { verbs, nonResourceURLs: second };
  return {
    verbs,
    apiGroups: second,
    resources: third,
    ...(names === undefined ? {} : { resourceNames: names }),
  };
}

function parse(): readonly KubeObject[] {
  const objects: KubeObject[] = [];
  let rules: object[] = [];
  for (const line of TABLE.trim().split('\n')) {
    if (line.startsWith(' ')) {
      rules.push(ruleOf(line.slice(1).split(' ')));
      continue;
    }
    const [head, ...more] = line.split(' ') as [string, ...string[]];
    if (head.startsWith('>')) {
      const metadata = split(head.slice(1));
      const [role, ...words] = more as [string, ...string[]];
      const subjects = words.filter(word => word !== '');
      const ofNamespace = role.startsWith('Role/');
      objects.push({
        apiVersion: `${RBAC}/v1`,
        kind: metadata.namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
        metadata: { ...metadata, labels: MADE_BY, annotations },
        roleRef: {
          apiGroup: RBAC,
          kind: ofNamespace ? 'Role' : 'ClusterRole',
          name: ofNamespace ? role.slice('Role/'.length) : role,
        },
        ...(subjects.length === 0 ? {} : { subjects: subjects.map(subjectOf) }),
      });
      continue;
    }
    rules = [];
    const metadata = split(head);
    const label = (sign: string) =>
      more.filter(word => word.startsWith(sign)).flatMap(word => word.slice(1).split(','));
    const selected = label('=').map(name => ({ matchLabels: { [`${RBAC}/${name}`]: 'true' } }));
    objects.push({
      apiVersion: `${RBAC}/v1`,
      kind: metadata.namespace === undefined ? 'ClusterRole' : 'Role',
      metadata: {
        ...metadata,
        labels: { ...MADE_BY, ...Object.fromEntries(label('+').map(name => [`${RBAC}/${name}`, 'true'])) },
        annotations,
      },
      rules,
      ...(selected.length === 0 ? {} : { aggregationRule: { clusterRoleSelectors: selected } }),
    });
  }
  return objects;
}

let parsed: readonly KubeObject[] | undefined;

/** All of them, in the order of the bootstrap policy. */
export function shippedObjects(): readonly KubeObject[] {
  parsed ??= parse();
  return parsed;
}

/** The roles among them that the objects do not bring themselves: what a binding to `view` refers to in any cluster. */
export function shippedRolesBeside(objects: readonly KubeObject[]): readonly KubeObject[] {
  const brought = new Set(objects.filter(isRole).map(keyOfRole));
  return shippedObjects().filter(object => isRole(object) && !brought.has(keyOfRole(object)));
}

function isRole({ kind, apiVersion }: KubeObject): boolean {
  return (kind === 'Role' || kind === 'ClusterRole') && apiVersion?.split('/')[0] === RBAC;
}

function keyOfRole({ kind, metadata }: KubeObject): string {
  return `${kind}/${kind === 'Role' ? metadata?.namespace : ''}/${metadata?.name}`;
}
