# Thin on purpose: ./hrv does the work. Pass arguments with ARGS="…".
.PHONY: setup demo test lint bench
setup demo test lint bench:
	@./hrv $@ $(ARGS)
