"""The parts of `./hrv`: is the environment fresh (`stamp`), make it (`install`), check the code (`checks`)."""
