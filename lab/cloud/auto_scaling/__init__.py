"""Auto Scaling groups by the clock.

moto's own groups act only inside a request, know no hook and no refresh, and put every instance
into one subnet. Here `observe` takes a group as it is, `plan` decides the next steps (pure), and
`reconcile` takes them, on every request and every second.
"""
