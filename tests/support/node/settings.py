"""Configuration of what runs on the node: containerd, kubelet, kube-proxy, pod network, names. Pure texts."""

from typing import Any, Final

from support.node.images import PAUSE

NODE: Final = "node"
ADDRESS: Final = "10.98.0.1"
PODS: Final = "10.244.0.0/24"
SERVICES: Final = "10.96.0.0/16"
DNS_ADDRESS: Final = "10.96.0.10"
API_PORT: Final = 6443
RUNTIME: Final = "/run/containerd/containerd.sock"
POLICY_QUEUE: Final = 100
"""Netfilter's queue at which the enforcer of NetworkPolicies listens."""
MEMORY_MIB: Final = 6 * 1024 + 512
"""What all pods together may use, so that a node under pressure is no pressure on the machine."""


KERNEL: Final = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What a kubelet wants of the kernel, and would set for the whole machine: it is shown to it instead."""


def containerd(cni: str) -> str:
    """What worked with Debian's containerd 1.6: no lowered OOM scores, which need a right that containers lack."""
    return f"""version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "{RUNTIME}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{cni}"
"""


def pod_network() -> dict[str, Any]:
    """Every pod on a link of its own: all its traffic is routed by the node, where policies see it."""
    ipam = {
        "type": "host-local",
        "dataDir": "/run/cni",
        "ranges": [[{"subnet": PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "ptp", "ipMasq": False, "ipam": ipam}]}


def kubelet(cgroup: str, resolv_conf: str, machine_mib: int) -> dict[str, Any]:
    """The kubelet on a machine with cgroup v1, whose memory (MiB) belongs to others too."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": resolv_conf,
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "containerRuntimeEndpoint": f"unix://{RUNTIME}",
        "systemReserved": {"memory": f"{max(0, machine_mib - MEMORY_MIB)}Mi"},
        "evictionHard": {"memory.available": "700Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        # Five minutes by default; long enough to be scraped.
        "evictionPressureTransitionPeriod": "20s",
        "imageGCHighThresholdPercent": 100,
        "nodeStatusUpdateFrequency": "4s",
        "syncFrequency": "10s",
        "readOnlyPort": 0,
        "oomScoreAdj": 0,
    }


def proxy(kubeconfig: str) -> dict[str, Any]:
    """kube-proxy, which leaves the machine's limits of connection tracking alone."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": kubeconfig},
        "mode": "iptables",
        "hostnameOverride": NODE,
        "clusterCIDR": PODS,
        "oomScoreAdj": 0,
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


COREFILE: Final = """.:53 {
    errors
    health :8080
    ready :8181
    kubernetes cluster.local in-addr.arpa {
        pods insecure
        fallthrough in-addr.arpa
    }
    cache 5
}
"""


def network_commands() -> list[list[str]]:
    """The node's own link and rules. No default route: what is not on the node does not exist.

    New connections from pods, to pods and to the node, are put to the enforcer; without one they are dropped.
    """
    queued = ["-m", "conntrack", "--ctstate", "NEW", "-s", PODS, "-j", "NFQUEUE", "--queue-num", str(POLICY_QUEUE)]
    return [
        ["ip", "link", "set", "lo", "up"],
        ["ip", "link", "add", "node0", "type", "bridge"],
        ["ip", "address", "add", f"{ADDRESS}/24", "dev", "node0"],
        ["ip", "link", "set", "node0", "up"],
        ["sysctl", "-qw", "net.ipv4.ip_forward=1"],
        ["iptables", "-w", "-t", "mangle", "-A", "FORWARD", *queued],
        ["iptables", "-w", "-t", "mangle", "-A", "INPUT", *queued],
    ]
