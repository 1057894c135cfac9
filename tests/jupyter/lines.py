"""What a profile's JSON says of a function, for tests."""


def function(data, name):
    (found,) = [each for each in data["functions"] if each["name"] == name]
    return found


def figures(data, name):
    """The figures of each line that has some, by a text that the line contains alone."""
    return Lines(function(data, name)["lines"])


class Lines:
    def __init__(self, lines):
        self.lines = lines

    def __getitem__(self, text):
        (line,) = [line for line in self.lines if text in line["source"]]
        return line["figures"]

    def last(self):
        return self.lines[-1]["figures"]

    def hits(self):
        return [line["figures"]["hits"] if line["figures"] else None for line in self.lines]

    def sum(self, figure):
        return sum(line["figures"][figure] for line in self.lines if line["figures"])
