import pytest

from iyu.producer import Producer
from iyu.schemas.broker.publisher import make_app
from iyu.schemas.broker.redis_address import check_address, redis_client
from iyu.schemas.broker.sentinel_address import SentinelAddress
from iyu.schemas.contract.errors import SettingsError
from iyu.schemas.contract.settings import Settings, mask
from iyu.worker.service.celery_app import make_worker_app
from iyu.worker.settings import WorkerSettings

SECRET = "hunter2"
REFUSED = (
    f"amqp://iyu:{SECRET}@broker//",
    f"sentinel://:{SECRET}@broker:26379",
    "memory://",
    "unix:///run/redis.sock",
    "redis+socket:///run/redis.sock",
    "broker:6379",
    f"redis://:{SECRET}@broker:port/0",
    f"redis://:{SECRET}@broker:6379/reviews",
    "REDIS://broker",
    "",
)
PARAMETERS_REFUSED = (
    f"redis://broker:6379/0?password={SECRET}",
    f"rediss://broker:6379/0?ssl_password={SECRET}",
    "redis://broker:6379/0?ssl_cert_reqs=none",
    "rediss://broker:6379/0?ssl_cert_reqs=maybe",
    "rediss://broker:6379/0?ssl_ca_certs=/nowhere/ca.pem",
)


@pytest.mark.parametrize("address", REFUSED)
def test_a_broker_that_is_not_redis_is_refused_in_one_line(address: str):
    with pytest.raises(SettingsError, match="IYU_BROKER_URL") as refused:
        check_address(address)
    assert "redis://HOST:6379/0" in str(refused.value)
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "amqp://" not in str(refused.value).partition("; ")[2]


@pytest.mark.parametrize("address", PARAMETERS_REFUSED)
def test_a_parameter_that_not_both_sides_read_is_refused_in_one_line(address: str):
    with pytest.raises(SettingsError, match="IYU_BROKER_URL") as refused:
        check_address(address)
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_no_configuration_of_celery_shows_the_password():
    address = f"rediss://iyu:{SECRET}@broker:6380/1"
    for app in (
        make_app(Settings.load(broker_url=address)),
        make_worker_app(WorkerSettings.load(broker_url=address)),
    ):
        shown = repr(app.conf) + str(app.conf) + repr(app.conf.changes) + repr(app.connection())
        assert SECRET not in shown + app.connection().as_uri()
        assert app.connection().password == SECRET


def test_both_sides_verify_a_certificate_in_the_same_way(tmp_path):
    (tmp_path / "ca.pem").touch()
    for parameters, expected in (
        ("", ("required", True, None)),
        ("?ssl_cert_reqs=none", ("none", False, None)),
        (f"?ssl_ca_certs={tmp_path}/ca.pem", ("required", True, f"{tmp_path}/ca.pem")),
    ):
        settings = WorkerSettings.load(broker_url=f"rediss://broker:6380/1{parameters}")
        producer = redis_client(settings).connection_pool.connection_kwargs
        worker = make_worker_app(settings).connection().ssl
        for side in (producer, worker, make_app(settings).connection().ssl):
            found = (side["ssl_cert_reqs"], side["ssl_check_hostname"], side.get("ssl_ca_certs"))
            assert found == expected


@pytest.mark.parametrize("address", REFUSED + PARAMETERS_REFUSED)
def test_it_is_refused_before_anything_is_accepted(address: str, tmp_path):
    settings = Settings.load(broker_url=address, database_url=f"sqlite:///{tmp_path}/iyu.db")
    for connect in (make_app, redis_client, lambda found: Producer(found, source="test")):
        with pytest.raises(SettingsError, match="IYU_BROKER_URL"):
            connect(settings)
    assert list(tmp_path.iterdir()) == []


SENTINELS = f"sentinel://iyu:{SECRET}%40x@first:26379;sentinel://second/3"


def test_sentinels_need_the_masters_name():
    with pytest.raises(SettingsError, match="IYU_REDIS_MASTER"):
        check_address(SENTINELS)
    check_address(SENTINELS, "mymaster")


def test_sentinels_are_read_with_the_login_and_the_database_of_what_they_watch():
    found = SentinelAddress.parse(SENTINELS)
    assert found.sentinels == (("first", 26379), ("second", 26379))
    assert (found.credentials, found.database) == (f"iyu:{SECRET}%40x", 3)
    assert found.kombu_url == (
        f"sentinel://iyu:{SECRET}%40x@first:26379/3;sentinel://iyu:{SECRET}%40x@second:26379/3"
    )
    assert SECRET not in mask(SENTINELS)
    assert "second" in mask(SENTINELS)
    with found.connect("mymaster", {}) as client:
        options = client.connection_pool.connection_kwargs
    assert (options["username"], options["password"]) == ("iyu", f"{SECRET}@x")
    assert options["db"] == 3


def test_sentinels_behind_tls_are_verified_by_both_sides_as_their_servers_are(tmp_path):
    (tmp_path / "ca.pem").touch()
    address = f"sentinels://iyu:{SECRET}@first;sentinels://second/3?ssl_ca_certs={tmp_path}/ca.pem"
    settings = WorkerSettings.load(broker_url=address, redis_master="mymaster")
    with redis_client(settings) as client:
        producer = client.connection_pool
        to_sentinels = producer.sentinel_manager.sentinel_kwargs
        assert "SSL" in producer.connection_class.__name__
        kwargs = producer.connection_kwargs
    found = [kwargs, to_sentinels]
    for app in (make_app(settings), make_worker_app(settings)):
        found += [app.connection().ssl, app.conf.broker_transport_options["sentinel_kwargs"]]
    for side in found:
        assert side["ssl_cert_reqs"] == "required"
        assert side["ssl_check_hostname"] is True
        assert side["ssl_ca_certs"] == f"{tmp_path}/ca.pem"
    assert SECRET not in mask(address)


@pytest.mark.parametrize("parameters", ["?ssl_cert_reqs=maybe", "?password=x", "?ssl_ca_certs=/no"])
def test_a_parameter_of_sentinels_that_nobody_reads_is_refused(parameters: str):
    with pytest.raises(SettingsError, match="IYU_BROKER_URL"):
        check_address(f"sentinels://first;sentinels://second/3{parameters}", "mymaster")
    with pytest.raises(SettingsError, match="sentinels://"):
        check_address("sentinel://first/0?ssl_cert_reqs=none", "mymaster")


@pytest.mark.parametrize(
    "address",
    [
        f"{SENTINELS};redis://third",
        f"{SENTINELS};sentinels://third",
        "sentinel://",
        "sentinel://a:port",
        "sentinel://a/x",
    ],
)
def test_what_only_looks_like_sentinels_is_refused_without_its_secret(address: str):
    with pytest.raises(SettingsError, match="IYU_BROKER_URL") as refused:
        check_address(address, "mymaster")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "redis://localhost:6379/0",
        "redis://broker",
        "redis:///1",
        f"rediss://iyu:{SECRET}@broker:6380/1",
        f"redis://:{SECRET}@[::1]:6379/0",
    ],
)
def test_redis_with_and_without_tls_is_accepted(address: str):
    check_address(address)
    redis_client(Settings.load(broker_url=address)).close()
