"""An extension of Sphinx: in a lesson, the first mention of a term leads to the glossary."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

# Where a word is no mention of a term, or already a link.
APART = (
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.reference,
    nodes.title,
)
ABBREVIATION = re.compile(r"[A-Z][A-Za-z]*[A-Z]|[A-Z]\d?$")  # its letters are as they are
SHORTEST = 3
GLOSSARY = "glossary"
# Words that mean something else in other lessons, or in plain English: they are linked only on the
# pages of the topic whose word they are.
OF_ONE_TOPIC = set(
    (
        "activation, average activation, baseline, bootstrap, bottleneck, bucket, cascade, "
        "code, coverage, density, distillation, distortion, divergence, domain, evidence, gap, "
        "gate, identity, Jacobian, least squares, likelihood, mismatch, negatives, noise level, "
        "oracle, packing, padding, patch, path, path length, posterior, prior, projection, "
        "prompt, quality, query, rate, recall, saturation, score, sharpness, side effect, "
        "signal-to-noise ratio, stiff, straightness, stride, switches, temperature, unrolled, "
        "Wasserstein"
    ).split(", ")
)
# Longer names of other things that such a word is the end of.
LONGER = re.compile(r"(?i)\b(?:learning|error|growth|frame|peak|log|image|source|bit)[ -]$")
LEGEND = "✔ marks"  # how the paragraph on the kinds of evidence begins
READING = "What to read"


def pattern(terms: list[str]) -> re.Pattern | None:
    """What finds the longest term that a text mentions, in the singular or the plural."""
    usable = sorted((term for term in terms if len(term) >= SHORTEST), key=len, reverse=True)
    one = (
        re.escape(term) if ABBREVIATION.match(term) else f"(?i:{re.escape(term)})"
        for term in usable
    )
    return re.compile(rf"(?<![\w-])(?:{'|'.join(one)})(?=s?(?![\w-]))") if usable else None


class FirstMentions(SphinxPostTransform):
    """Links the first mention of each term on the page of a lesson."""

    default_priority = 200

    def run(self, **kwargs) -> None:
        if not self.env.docname.startswith("notebooks/"):
            return
        page = self.app.builder.get_relative_uri(self.env.docname, GLOSSARY)
        topic = self.env.docname.removeprefix("notebooks/")[:2]
        known = {
            name: (place, meaning)
            for name, (place, meaning, home) in terms(self.env).items()
            if home == topic or name not in OF_ONE_TOPIC
        }
        mention = pattern(list(known))
        seen: set[str] = set()
        for text in [] if mention is None else list(self.document.findall(nodes.Text)):
            if not _inside(text, APART) and not _apart(text):
                _link(text, mention, known, seen, page)


def terms(env) -> dict[str, tuple[str, str, str]]:
    """Every term -> where it stands in the glossary, what it means, and its lesson's topic."""
    if not hasattr(env, "course_terms"):
        items = list(env.get_doctree(GLOSSARY).findall(nodes.definition_list_item))
        entries = [(item.next_node(nodes.term), item.next_node(nodes.paragraph)) for item in items]
        env.course_terms = {
            term.astext(): (term["ids"][0], " ".join(meaning.astext().split()), _topic(item))
            for (term, meaning), item in zip(entries, items)
        }
    return env.course_terms


def _topic(item: nodes.Node) -> str:
    """The number of the topic that an entry of the glossary refers to, in its last line."""
    found = re.search(r"(\d\d)\w? ?[§,]", list(item.findall(nodes.paragraph))[-1].astext())
    return found[1] if found else ""


def _apart(text: nodes.Node) -> bool:
    """Whether a text is part of the legend of the marks, of a table's head or of the references."""
    node = text
    while node := node.parent:
        if isinstance(node, nodes.thead):
            return True
        if isinstance(node, nodes.paragraph) and node.astext().startswith(LEGEND):
            return True
        if isinstance(node, nodes.section) and node.next_node(nodes.title).astext() == READING:
            return True
    return False


def _inside(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    while node := node.parent:
        if isinstance(node, kinds):
            return True
    return False


def _link(text, mention, known, seen, page) -> None:
    by_letters = {name.lower(): name for name in known}
    said, parts, end = text.astext(), [], 0
    for match in mention.finditer(said):
        name = by_letters[match[0].lower()]
        if name in seen or (name in OF_ONE_TOPIC and LONGER.search(said[: match.start()])):
            continue
        seen.add(name)
        target, meaning = known[name]
        parts.append(nodes.Text(said[end : match.start()]))
        link = nodes.reference("", match[0], refuri=f"{page}#{target}", internal=True)
        link["classes"], link["reftitle"] = ["course-term"], meaning
        parts.append(link)
        end = match.end()
    if parts:
        text.parent.replace(text, [*parts, nodes.Text(said[end:])])


def setup(app):
    """Called by Sphinx."""
    app.add_post_transform(FirstMentions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
