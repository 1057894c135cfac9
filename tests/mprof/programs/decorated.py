import time


@profile
def inner():
    block = bytearray(40 << 20)
    time.sleep(0.15)
    return block


@profile
def outer():
    time.sleep(0.05)
    return inner()


if __name__ == "__main__":
    outer()
