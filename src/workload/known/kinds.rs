//! The table of well-known kinds. `docs/custom-kinds.md` has it with the sources.

/// Kinds that keep images where their shape does not show them, or with placeholders.
#[derive(Clone, Copy, Debug)]
pub struct KnownKinds {
    /// The kinds, with spaces between them.
    pub kinds: &'static str,
    /// What placeholders begin with that are filled in later, with spaces between them.
    pub placeholders: &'static str,
    /// Where images stand, besides those that the shape shows.
    pub images: &'static str,
}

/// The well-known kinds of a group: one of [`GROUPS`].
pub fn kinds_of(lines: &'static str) -> impl Iterator<Item = KnownKinds> {
    lines.split('\n').filter_map(|line| {
        let (kinds, line) = line.split_once('|')?;
        let (placeholders, images) = line.split_once('|')?;
        Some(KnownKinds {
            kinds,
            placeholders,
            images,
        })
    })
}

/// API groups, as globs, and their well-known kinds: a line has kinds, what placeholders begin with, and images.
#[rustfmt::skip]
pub static GROUPS: [(&str, &str); 35] = [
    ("tekton.dev", "\
Task ClusterTask|$(|spec.<TaskSpec>\n\
StepAction|$(|spec.image\n\
TaskRun|$(|spec.{taskSpec.<TaskSpec>,taskRef.<Bundle>}\n\
Pipeline|$(|spec.<PipelineSpec>\n\
PipelineRun|$(|spec.{pipelineSpec.<PipelineSpec>,pipelineRef.<Bundle>}"),
    ("triggers.tekton.dev", "\
TriggerTemplate|$(|spec.resourcetemplates[*].<Object>\n\
Trigger|$(|spec.template.spec.resourcetemplates[*].<Object>\n\
EventListener|$(|spec.triggers[*].template.spec.resourcetemplates[*].<Object>"),
    ("argoproj.io", "\
Workflow WorkflowTemplate ClusterWorkflowTemplate|{{|spec.<WorkflowSpec>\n\
CronWorkflow|{{|spec.workflowSpec.<WorkflowSpec>\n\
WorkflowTaskSet|{{|spec.tasks.*.<Template>\n\
Sensor|{{|spec.{template.container.image,triggers[*].template.{k8s,argoWorkflow}.source.resource.<Object>}\n\
EventSource||spec.template.container.image"),
    ("kubevirt.io", "\
VirtualMachine||spec.<VirtualMachineSpec>\n\
VirtualMachineInstance||spec.<MachineSpec>\n\
VirtualMachineInstanceReplicaSet||spec.template.spec.<MachineSpec>\n\
VirtualMachineInstancePreset||spec.domain.firmware.kernelBoot.container.image\n\
KubeVirt||spec.configuration.network.binding.*.sidecarImage"),
    ("pool.kubevirt.io", "\
VirtualMachinePool||spec.virtualMachineTemplate.spec.<VirtualMachineSpec>"),
    ("template.kubevirt.io", "\
VirtualMachineTemplate|${|spec.virtualMachine.spec.<VirtualMachineSpec>"),
    ("cdi.kubevirt.io", "\
DataVolume VolumeImportSource||spec.source.<ImportSource>\n\
DataImportCron||spec.template.spec.source.registry.url://"),
    ("sparkoperator.k8s.io", "\
SparkApplication||spec.<SparkSpec>\n\
ScheduledSparkApplication||spec.template.<SparkSpec>\n\
SparkConnect||spec.{image,<SparkConf>}"),
    ("spark.apache.org", "\
SparkApplication|{{|spec.<SparkConf>\n\
SparkCluster|{{|spec.sparkConf[\"spark.kubernetes.container.image\"]"),
    ("serving.kserve.io", "\
InferenceService||spec.{{predictor,canary[*].predictor}.<Predictor>,explainer.{art.{image,storageUri://},{alibi,aix}.image,<Storage>},transformer.<Storage>}\n\
ServingRuntime ClusterServingRuntime|{{|\n\
ClusterStorageContainer||spec.container.image\n\
LLMInferenceService LLMInferenceServiceConfig|{{|spec.model.uri://"),
    ("monitoring.coreos.com", "\
Prometheus||spec.{<Monitor>,thanos.<Monitor>}\n\
Alertmanager||spec.<Monitor>\n\
PrometheusAgent ThanosRuler||spec.image"),
    ("postgresql.cnpg.io", "\
Cluster||spec.{imageName,postgresql.extensions[*].image.reference}\n\
Pooler||spec.pgbouncer.image\n\
ImageCatalog ClusterImageCatalog||spec.{images[*].{image,extensions[*].image.reference},componentImages[*].image}"),
    ("rabbitmq.com", "\
RabbitmqCluster||spec.{image,secretBackend.vault.defaultUserUpdaterImage}"),
    ("minio.min.io", "\
Tenant||spec.{image,kes.image,additionalVolumes[*].image.reference,log.{image,db.{image,initimage}},prometheus.{image,sidecarimage,initimage},console.image}"),
    ("ceph.rook.io", "\
CephCluster||spec.cephVersion.image\n\
CephNFS||spec.{server.image,security.sssd.sidecar.image}\n\
CephNVMeOFGateway||spec.image\n\
CephCOSIDriver||spec.{image,objectProvisionerImage}"),
    ("csi.ceph.io", "\
Driver||spec.<CephPlugins>\n\
OperatorConfig||spec.driverSpecDefaults.<CephPlugins>"),
    ("kafka.strimzi.io", "\
Kafka||spec.{kafka.{image,brokerRackInitImage},entityOperator.{topicOperator,userOperator,tlsSidecar}.image,{cruiseControl,cruiseControl.tlsSidecar,kafkaExporter,zookeeper,jmxTrans}.image}\n\
KafkaConnect||spec.{image,clientRackInitImage,plugins[*].artifacts[*].(type=image).reference,build.output(type=docker).image~}\n\
KafkaMirrorMaker2 KafkaBridge||spec.{image,clientRackInitImage}\n\
KafkaMirrorMaker||spec.image"),
    ("*.k8s.elastic.co", "\
Agent ApmServer AutoOpsAgentPolicy Beat Elasticsearch EnterpriseSearch Kibana Logstash ElasticMapsServer PackageRegistry||spec.image"),
    ("numaflow.numaproj.io", "\
Vertex MonoVertex||spec.<Vertex>\n\
Pipeline||spec.<Vertices>\n\
ServingPipeline||spec.{pipeline.<Vertices>,serving.store.container.image}"),
    ("numaplane.numaproj.io", "\
PipelineRollout||spec.{pipeline.spec.<Vertices>,riders[*].definition.<Object>}\n\
MonoVertexRollout||spec.{monoVertex.spec.<Vertex>,riders[*].definition.<Object>}"),
    ("kubeflow.org", "\
Experiment|${ $( {{|spec.{trialTemplate.trialSpec.<Object>,metricsCollectorSpec.collector.customCollector.image}\n\
Trial|$( {{|spec.{runSpec.<Object>,metricsCollector.collector.customCollector.image}"),
    ("opentelemetry.io", "\
OpenTelemetryCollector||spec.{image,targetAllocator.image,additionalContainers[*].image}\n\
TargetAllocator||spec.{image,additionalContainers[*].image}\n\
OpAMPBridge||spec.image\n\
Instrumentation||spec.{java,java.extensions[*],nodejs,python,dotnet,go,apacheHttpd,nginx}.image"),
    ("operators.coreos.com", "\
CatalogSource|{|{spec.image,metadata.annotations[\"olm.catalogImageTemplate\"]}\n\
ClusterServiceVersion||spec.relatedImages[*].image"),
    ("olm.operatorframework.io", "\
ClusterCatalog||spec.source.image.ref~"),
    ("apps.kruise.io", "\
ImagePullJob||spec.image~\n\
ImageListPullJob||spec.images[*]~\n\
AdvancedCronJob||spec.template.imageListPullJobTemplate.spec.images[*]~\n\
NodeImage||spec.images.*.tags[*].tag%\n\
SidecarSet||spec.{containers,initContainers}[*].upgradeStrategy.hotUpgradeEmptyImage"),
    ("kubefledged.io", "\
ImageCache||spec.cacheSpec[*].images[*]"),
    ("kubefledged.k8s.io", "\
ImageCache||spec.cacheSpec[*].images[*]"),
    ("fledged.k8s.io", "\
ImageCache||spec.cacheSpec[*].images[*]"),
    ("pkg.crossplane.io", "\
Provider Configuration Function||spec.package~\n\
ProviderRevision ConfigurationRevision FunctionRevision||spec.image~\n\
Lock||packages[*].source~+version\n\
ControllerConfig||spec.image"),
    ("apiextensions.crossplane.io", "\
Composition||spec.resources[*].base.<Object>"),
    ("extensions.istio.io", "\
WasmPlugin||spec.url~\n\
TrafficExtension||spec.wasm.url~"),
    ("source.toolkit.fluxcd.io", "\
OCIRepository|${|spec.url://+ref.digest+ref.semver+ref.tag"),
    ("template.openshift.io", "\
Template|${ $( {{|objects[*].<Object>"),
    ("kro.run", "\
ResourceGraphDefinition|${ $( {{|spec.resources[*].template.<Object>"),
    ("", "\
PersistentVolume||spec.csi.{volumeAttributes.image~,<WarmMetal>.volumeHandle~}"),
];

/// Parts that several kinds have, or that repeat within themselves.
#[rustfmt::skip]
pub static PARTS: [(&str, &str); 18] = [
    ("TaskSpec", "{steps[*].{image,ref.<Resolver>},{sidecars[*],stepTemplate}.image}"),
    ("PipelineSpec", "{tasks,finally}[*].{taskSpec.<TaskSpec>,pipelineSpec.<PipelineSpec>,{taskRef,pipelineRef}.<Bundle>}"),
    ("Bundle", "{bundle~,<Resolver>}"),
    ("Resolver", "(resolver=bundles).params[*].(name=bundle).value~"),
    ("WorkflowSpec", "{{templates[*],templateDefaults}.<Template>,executorPlugins[*].spec.sidecar.container.image}"),
    ("Template", "{{container,script,sidecars[*]}.image,{steps[*][*],dag.tasks[*]}.inline.<Template>}"),
    ("VirtualMachineSpec", "{template.spec.<MachineSpec>,dataVolumeTemplates[*].spec.source.<ImportSource>}"),
    ("MachineSpec", "{volumes[*].containerDisk.image,domain.firmware.kernelBoot.container.image}"),
    ("ImportSource", "{registry.url://,vddk.initImageURL}"),
    ("SparkSpec", "{image,{driver,executor}.{image,sidecars[*].image},<SparkConf>}"),
    ("SparkConf", "sparkConf{[\"spark.kubernetes.container.image\"],[\"spark.kubernetes.driver.container.image\"],[\"spark.kubernetes.executor.container.image\"]}"),
    ("Predictor", "{{model,huggingface,lightgbm,onnx,paddle,pmml,pytorch,sklearn,tensorflow,triton,xgboost}.{image,storageUri://},<Storage>}"),
    ("Storage", "storageUris[*].uri://"),
    ("Monitor", "{image,(image=).baseImage+sha+tag+version+?}"),
    ("CephPlugins", "{controllerPlugin,nodePlugin}.volumes[*].volume.image.reference"),
    ("Vertices", "{vertices[*].<Vertex>,sideInputs[*].container.image}"),
    ("Vertex", "{{udf,source.{udsource,transformer},sink.{udsink,fallback.udsink,onSuccess.udsink}}.container,sidecars[*]}.image"),
    ("WarmMetal", "{(driver=container-image.csi.k8s.io),(driver=csi-image.warm-metal.tech)}"),
];

/// Images in the volumes of any pod.
pub const VOLUMES: &str =
    "[*].csi.{volumeAttributes.image,<WarmMetal>.volumeAttributes.volumeHandle}";

/// Images in the `metadata` of any pod.
pub const POD_METADATA: &str = "annotations[\"sidecar.istio.io/proxyImage\"]/";
