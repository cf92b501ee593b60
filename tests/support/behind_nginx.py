"""What the tests of the deployment have in common."""

PICTURE = "thumbs/90x60/quarters.jpg"
MEMORY = {"memory": {"enabled": True, "max_size_mb": 32}}
# Targets that may stand for `/{}`, or that clients send in the hope that they do.
SPELLINGS = [
    *("/{}", "/{}?", "/{}?x=1", "/{}/", "//{}", "///{}", "/./{}", "/x/../{}", "/x/..%2f{}", "/%2e/{}", "/{}%20"),
    *("/{}%00", "/{}%0a", "/{}#", "/{};", "/{}//", "/local/thumbs/../../{}", "/local/thumbs/%2e%2e/%2e%2e/{}"),
    *("/local/thumbs/..%2f..%2f{}", "http://localhost/{}", "http://localhost//{}", "http://elsewhere/x/../{}"),
]
