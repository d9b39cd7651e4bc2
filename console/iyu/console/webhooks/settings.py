"""What may be called, from the environment."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class WebhookSettings(BaseSettings):
    """Prefix `IYU_WEBHOOKS_`."""

    model_config = SettingsConfigDict(env_prefix="IYU_WEBHOOKS_", extra="ignore", frozen=True)

    #: Whether addresses of private networks and of this machine may be called.
    allow_private: bool = False
