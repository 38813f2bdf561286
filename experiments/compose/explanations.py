"""What Hydra and OmegaConf say of a mistake, in one line: what, where, what was expected, how to fix it."""

import difflib
import re

from experiments.config.files import catalogue, choice
from experiments.config.keys import FORMER, GROUPS, SCALARS
from experiments.text.quoting import quote, shortened


def explain(error: Exception) -> str:
    """Turn one of Hydra's exceptions into one line: what, where, what was expected, how to fix.

    Args:
        error: from Hydra or OmegaConf.

    Returns:
        One line.
    """
    chain: list[BaseException] = [error]
    while chain[-1].__cause__ is not None or chain[-1].__context__ is not None:
        chain.append(chain[-1].__cause__ or chain[-1].__context__ or error)
    text = "\n".join(str(link) for link in chain)
    for pattern, make in _EXPLANATIONS:
        if match := re.search(pattern, text, re.DOTALL):
            return make(match)
    return re.sub(r"\s+", " ", re.sub(r"See https?://\S+.*", "", str(error), flags=re.DOTALL)).strip()


def _unknown_key(match: re.Match[str]) -> str:
    key = match["key"]
    parent, _, leaf = key.rpartition(".")
    if parent:
        owners = [name for name in catalogue(parent) if leaf in choice(parent, name)]
        hint = f"{parent}={' or '.join(owners)} has it" if owners else f"`--cfg job --package {parent}` shows its keys"
        return f"unknown key `{shortened(key)}`: the chosen {parent} has no `{shortened(leaf)}`; {hint}"
    close = difflib.get_close_matches(key, [*SCALARS, *GROUPS, "experiment"], n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"keys: {', '.join([*SCALARS, *GROUPS])}"
    plus = " (experiments are chosen with a plus: +experiment=name)" if key == "experiment" else ""
    return f"unknown key `{shortened(key)}`{plus}; {hint}"


def _unknown_choice(match: re.Match[str]) -> str:
    found = set(re.findall(r"^\s+(\w+)$", match["options"], re.MULTILINE))
    options = sorted(option for option in found if (match["group"], option) not in FORMER)
    close = difflib.get_close_matches(match["choice"], options, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"`{match['group']}` has no choice {quote(match['choice'])}; {hint}choices: {', '.join(options)}"


def _wrong_type(match: re.Match[str]) -> str:
    kind = {"Integer": "an integer", "Float": "a number", "Boolean": "true or false", "String": "a word"}
    return f"`{match['key']}` must be {kind.get(match['kind'], match['kind'])}, got {quote(match['value'])}"


def _needs_experiment_plus(match: re.Match[str]) -> str:
    return f"`{match['group']}` is not in the defaults; add it with a plus: +{match['group']}={shortened(match['choice'])}"


def _sweep_without_multirun(match: re.Match[str]) -> str:
    return f"`{shortened(match['override'])}` is a sweep; add -m to run all of its values"


def _no_yaml(match: re.Match[str]) -> str:
    return f"cannot read {match['file']}: {match['what'].strip()}, line {match['line']}; expected YAML, as in the files of conf"


def _cannot_parse(match: re.Match[str]) -> str:
    line = match.string.split("See http")[0].replace("LexerNoViableAltException: ", "near ").rstrip("^ \n")
    return f"cannot read an override ({shortened(line)}); quote values with special characters, as in 'name=\"a b\"'"


def _wrong_container(match: re.Match[str]) -> str:
    wanted = "one value or a group's keys belong; a choice is made by `override /activation: tanh` in its defaults"
    return f"{match['file']}.yaml has a list or a mapping where {wanted}"


_EXPLANATIONS = [
    (r"(?m:^)(?P<what>[^\n]*)\n\s*in \"(?P<file>[^\"]+)\", line (?P<line>\d+)", _no_yaml),
    (r"Sweep parameters '(?P<override>[^']*)' requires", _sweep_without_multirun),
    (r"Ambiguous value for argument '(?P<override>[^']*)'", _sweep_without_multirun),
    (r"is not Optional\s+full_key: (?P<key>[\w.]+)", lambda m: f"`{m['key']}` must have a value, got null"),
    (
        r"Config group override must be a string or a list",
        lambda m: "a group must be given the name of a choice, as in activation=tanh; numbers are its keys, as in dropout.rate=0.2",
    ),
    (
        r"argument of type '\w+' is not iterable",
        lambda m: "a group must be given the name of a choice, as in activation=tanh; numbers are its keys, as in dropout.rate=0.2",
    ),
    (r"Missing mandatory value: (?P<key>[\w.]+)", lambda m: f"`{m['key']}` must have a value, got ???"),
    (r"File name too long", lambda _: "an override names a group, choice or key of so many characters that none can be called so"),
    (r"Exceeds the limit \(\d+ digits\)", lambda _: "an override holds an integer of thousands of digits; expected a shorter one"),
    (r"maximum recursion depth", lambda _: "an override is nested too deeply; expected key=value with a plain value, or a sweep of such"),
    (r"missing EQUAL at", lambda m: "an override has the form key=value; `gradstab run --help` lists the keys"),
    (r"append to your default list use \+(?P<group>\w+)=(?P<choice>\w+)", _needs_experiment_plus),
    (r"Value '(?P<value>[^']*)' of type '\w+' could not be converted to (?P<kind>\w+).*?full_key: (?P<key>[\w.]+)", _wrong_type),
    (r"Value '(?P<value>[^']*)' .*?is not a (?P<kind>\w+).*?full_key: (?P<key>[\w.]+)", _wrong_type),
    (r"Key '\w+' is not in struct[^\n]*\s+full_key: (?P<key>[\w.]+)", _unknown_key),
    (r"Key '\w+' not in '\w+'[^\n]*\s+full_key: (?P<key>[\w.]+)", _unknown_key),
    (r"Could not find '(?P<group>[\w/]+)/(?P<choice>[^'/]+)'\s+Available options in '[^']*':(?P<options>.*)", _unknown_choice),
    (r"^(?P<what>[^\n]*)\n\s*full_key: (?P<key>[\w.]+)", lambda m: f"`{m['key']}`: {m['what']}"),
    (r"In '(?P<file>[^']+)'[^\n]*\n[^\n]*Cannot merge \w+ with \w+", _wrong_container),
    (r"LexerNoViableAltException|token recognition error|no viable alternative|mismatched input|extraneous input", _cannot_parse),
]
