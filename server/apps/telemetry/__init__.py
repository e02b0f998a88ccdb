"""What the telemetry API rests on: settings, devices, rows and configurations; HTTP is in `telemetry_asgi`."""
