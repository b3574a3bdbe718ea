"""The serial side: messages, frames, link, client, emulated bands, validation."""
