from iyu.worker.service.watchdog import Silence


def always() -> bool:
    return True


def never() -> bool:
    return False


def test_silence_grows_while_work_waits_and_nothing_is_begun():
    silence = Silence()
    assert [silence.look(3, now, always) for now in (10.0, 20.0, 30.0)] == [0.0, 10.0, 20.0]


def test_a_beginning_ends_it():
    silence = Silence()
    silence.look(3, 10.0, always)
    assert silence.look(4, 30.0, always) == 0.0
    assert silence.look(4, 35.0, always) == 5.0


def test_it_does_not_count_while_nothing_waits_or_a_service_is_down():
    silence = Silence()
    silence.look(3, 10.0, always)
    assert silence.look(3, 100.0, never) == 0.0
    assert silence.look(3, 101.0, always) == 1.0
