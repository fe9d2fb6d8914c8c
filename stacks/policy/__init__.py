"""What no manifest may do, as pure rules: for `pulumi preview --policy-pack stacks/policy` and for the tests."""
