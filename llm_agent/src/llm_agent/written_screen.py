"""The written screens: what need not or can't be read, and what must not stand in a prompt.

The second one is wide on purpose, because a model that takes instructions takes them from anywhere: it withholds "you"
and "answer", and with them one honest sentence in nineteen of diaries full of direct speech, forms and labels. The
reader takes no instructions, so its sentences pass the first one only. What neither can know, how people talk of being
judged, the trained one does (``address``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from llm_agent.fold import fold

__all__ = ["Screen", "not_to_be_read", "speaks_to_us"]

Screen = Callable[[str], bool]

_WORD = re.compile(r"[a-z']+")
_TO_THE_FORECASTER = re.compile(
    r"\b(?:forecast\w*|predict\w*|estimat\w*|ensemble|baseline|quantile\w*|median|"
    r"percentile\w*|algorithm\w*|models?|shift(?:_ms|\s+by|\s+of|\s+the|\s+to)\w*|sd_scale|spread|weights?\s+of|json|"
    r"xml|html|markdown|prompt\w*|instru[ck]\w*|ignor\w+|disregard\w*|overrid\w+|overwrit\w+|system|assistant|"
    r"ai|a\.i|chat\s?bot|bot|llm|gpt|language\s+model|dear\s+(?:model|agent|system|computer)|"
    r"(?:the|this) (?:wearer|user|patient|person|subject)|the writer|agent|evidence|"
    r"answer\w*\s+(?:with|only|in)|respond\w*|reply\s+(?:with|only)|output\w*|print\w*|return\s+(?:only|the|a|\{)|"
    r"schema|tokens?|no change|lowers|raises|listed|data\s?base|developers?|admin\w*|"
    r"you\s+(?:are|must|should|shall|will|may|have\s+to|need)|your\s+(?:task|job|role|rules?|answers?|output|"
    r"numbers?|instructions?|text|prompt|settings?|result|opinion|judge?ment)|kindly|from now on|"
    r"on (?:such|these|those) days|on \d+ (?:earlier|other|previous|past) (?:days|nights)|on average|"
    r"statistic\w*|proven|per ?cent|probabilit\w+|certainty|code\s?word|password|key\s?word|commands?|execut\w+|"
    r"new rule|following rule|exception|(?:plus|negative|positive)\s+(?:[a-z]+teen|\d+|one|two|three|four|five|six|"
    r"seven|eight|nine|ten|eleven|twelve|twenty|thirty)|the numbers?|a number|values?|protocols?|counts?\s+as|the word|"
    r"options?|minimum|maximum|widen\w*|spread\s+factor|factor|the app|twice as much|backwards?|base\s?64|log it|"
    r"downwards?|minus|answers?|rot\s?13|example\s+\d|sample|grading|operator|human:|guidelines?|type)\b"
    r"|\b(?:system|assistant|user|human|operator|admin|notes?|journal|options|answer|ref)\s*:"
    r"|\byou(?! know)(?:r|rs|'\w+)?\b"
    r"|\b\w+_\w+|^(?:user|assistant|system|human)$|\?\s*$|(?:-{3,}|={3,})|(?<![\w.])[+-]\d"
    r"|[{}<>\[\]|`~^\\=#%]|https?:|\bs\d+\b|\b[exjcabm]\d+\b|\*\*|__",
    re.I,
)
_IMPERATIVE = re.compile(
    r"^(?:and |so |then |now |also |just |ok(?:ay)?,? |hey,? |listen[,:]? |important[,:]? |note[,:]? |attention[,:]? |"
    r"please,? )*(?:(?:adjust|mark|count|treat|classify|rate|score|assume|pretend|imagine|suppose|remember|forget|say|"
    r"tell|consider|choose|pick|select|stop|do not|don't|never|always|give|show|act|repeat|translate|summari[sz]e|"
    r"explain|describe|list|decode|decrypt|follow|obey|trust|believe|accept|write|record|report|enter|return|print|answer|respond|reply|make|use|"
    r"take|keep|ensure|apply|increase|decrease|reduce|double|add|subtract|multiply|raise|change|be|skip)\b(?! a lot)|"
    r"(?:set|put|let|lower|note)\s+(?:it|this|that|everything|all|tomorrow|tonight|the\s+(?:shift|number|value|"
    r"answer|effect|night|strength|result)|down\s+(?:that|as))\b)|[,:;]\s*please\b|\bplease\s+(?!d)",
    re.I,
)
_ENGLISH = frozenset(
    "the and my was with had for of to it is that at day this from not today tonight were have has been but then "
    "after before while all off up out i in on no she they their them his you your our we're i'm i've i'd it's that's "
    "he's she's they're don't didn't wasn't can't couldn't won't there here where when what which who how now again "
    "still never ever every nothing two three four five six seven eight nine ten twenty hundred half more less little "
    "much many only just because about into over under down back away through between without against until since go "
    "going went got get make made take took come came gone done".split()
)
_FOREIGN = frozenset(
    "und die der das alle nicht auf mit eine einen den ich gib setze um ist los las el la que por con una todo todas y "
    "pon les des une et toutes sur avec tout le di che tutte per il het een niet van alles og alla och att os em com "
    "de da do na se es en un mais ja kaikki wszystkie i podaj nie vse si mi".split()
) - _ENGLISH
_STRANGE = re.compile(r"\S{28,}")
_MEASURED = re.compile(
    r"\b(?:hrv|rmssd|milli-?seconds?|\d+\s*ms|heart[- ]rate variability|whoop|garmin|oura|fitbit|apple watch|"
    r"resting (?:heart[- ]?rate|pulse|hr)|(?:recovery|readiness|sleep|strain) (?:score|percent\w*|\d)|"
    r"(?:recovery|strain|sleep performance) (?:was|is|of|at) (?:only |just |a )?(?:red|green|yellow|\d))",
    re.I,
)
"""What the tracker tells: the models have it, so a sentence about it would count it twice."""


def not_to_be_read(sentence: str) -> bool:
    """Whether a sentence, or a clause, is of another script or language, no words at all, or of what is measured."""
    letters = [c for c in sentence if c.isalpha()]
    latin = [c for c in letters if "LATIN" in unicodedata.name(c, "")]
    return (
        len(latin) < len(letters)
        or bool(_STRANGE.search(sentence))
        or bool(_MEASURED.search(sentence))
        or not _is_english(sentence)
    )


def speaks_to_us(sentence: str) -> bool:
    """Whether that, or an address as far as its words tell."""
    return (
        not_to_be_read(sentence)
        or bool(_TO_THE_FORECASTER.search(sentence))
        or bool(_IMPERATIVE.search(sentence))
    )


def _is_english(sentence: str) -> bool:
    """Not when it is spelled in single letters, or its small words and letters are those of other languages."""
    words = _WORD.findall(fold(sentence))
    if not words:
        return bool(re.fullmatch(r"[\d\s.,:/-]*", sentence))
    if sum(len(word) == 1 for word in words) > max(2, 0.4 * len(words)):
        return False
    english = sum(word in _ENGLISH for word in words)
    foreign = sum(word in _FOREIGN for word in words)
    if len(words) >= 5 and len(set(words)) <= 2:
        return False
    plain = sentence.isascii() or english > 1 or len(words) <= 3
    return plain and not (foreign >= 2 and foreign > english) and (english > 0 or len(words) < 7)
