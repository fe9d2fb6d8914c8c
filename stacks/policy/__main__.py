"""`pulumi preview --policy-pack stacks/policy`."""

from stacks.policy import pack

pack.run()
