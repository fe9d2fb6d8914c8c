"""The end: what was made is gone, from the cluster and from the machine."""

from support.node.platform import NAMESPACE, eventually


def test_destroy_leaves_nothing(platform):
    platform.pulumi("destroy", "--yes", "--skip-preview")
    node = platform.node
    assert NAMESPACE not in {each["metadata"]["name"] for each in node.listed("/api/v1/namespaces")}
    for kind in ("clusterroles", "clusterrolebindings"):
        listed = node.listed(f"/apis/rbac.authorization.k8s.io/v1/{kind}")
        assert not [each for each in listed if each["metadata"]["name"].startswith(f"{NAMESPACE}-")]
    left = eventually(lambda: node.listed("/api/v1/persistentvolumes"), lambda volumes: not volumes, 30)
    assert left == []
    folder = node.seen(node.folder / "volumes")
    assert list(folder.iterdir()) == []
