from iyu.worker.service.probe_files import touch
from iyu.worker.service.watchdog import StallTimer


def always() -> bool:
    return True


def never() -> bool:
    return False


def test_a_stall_grows_while_work_waits_and_nothing_is_begun():
    stall = StallTimer()
    assert [stall.update(3, now, always) for now in (10.0, 20.0, 30.0)] == [0.0, 10.0, 20.0]


def test_a_beginning_ends_it():
    stall = StallTimer()
    stall.update(3, 10.0, always)
    assert stall.update(4, 30.0, always) == 0.0
    assert stall.update(4, 35.0, always) == 5.0


def test_it_does_not_count_while_nothing_waits_or_a_service_is_down():
    stall = StallTimer()
    stall.update(3, 10.0, always)
    assert stall.update(3, 100.0, never) == 0.0
    assert stall.update(3, 101.0, always) == 1.0


def test_a_link_in_place_of_the_heartbeat_is_not_followed(tmp_path):
    (tmp_path / "planted").symlink_to(tmp_path / "target")
    touch(tmp_path / "planted")
    assert not (tmp_path / "target").exists()
    touch(tmp_path / "own")
    assert (tmp_path / "own").is_file()
