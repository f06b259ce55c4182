"""AWS on this machine: the engine, the cloud and the machines that prove the program."""
