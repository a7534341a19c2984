"""The images that no registry has. Pure functions.

The test bed runs no images, so it takes every image for one that is there, except those whose registry ends in
`.invalid`: no resolver ever finds such a name (RFC 6761), so a real kubelet could not pull them either.
"""

PULL_FAILED = "ErrImagePull"
BACK_OFF = "ImagePullBackOff"


def pull_problem(image: str) -> str:
    """Why the image cannot be pulled, in the words of containerd. Empty if it can."""
    registry, _, path = image.partition("/")
    if not registry.endswith(".invalid"):
        return ""
    repository, _, tag = path.partition(":")
    manifest = f"https://{registry}/v2/{repository}/manifests/{tag or 'latest'}"
    return (
        f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
        f'failed to do request: Head "{manifest}": dial tcp: lookup {registry}: no such host'
    )


def back_off(image: str, problem: str) -> str:
    """What a kubelet says while it waits before it pulls again (pkg/kubelet/images/image_manager.go).

    Args:
        image: the image.
        problem: what the last pull said.
    """
    return f'Back-off pulling image "{image}": {PULL_FAILED}: {problem}'
