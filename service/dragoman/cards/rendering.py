"""A card as Markdown, and as one page of HTML that needs nothing else."""

from typing import Final

import jinja2

from dragoman.cards.card import Card, Section, Table

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ card.title }}</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1.5rem; }
h1 { font-size: 1.6rem; line-height: 1.25; }
h2 { font-size: 1.15rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
.many td { white-space: nowrap; }
.many td:nth-child(2) { min-width: 12rem; white-space: normal; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid color-mix(in srgb, currentcolor 25%, transparent); padding: .3rem .8rem .3rem 0;
  text-align: left; vertical-align: top; }
footer { margin-top: 2.5rem; opacity: .75; }
</style>
</head>
<body>
<main>
<h1>{{ card.title }}</h1>
{% for section in card.sections %}
<section>
<h2>{{ section.title }}</h2>
{% for text in section.says %}<p>{{ text }}</p>
{% endfor %}
{% if section.points %}<ul>
{% for point in section.points %}<li>{{ point }}</li>
{% endfor %}</ul>
{% endif %}
{% if section.table %}<div class="wide{{ ' many' if section.table.head | length > 4 }}"><table>
<thead><tr>{% for cell in section.table.head %}<th scope="col">{{ cell }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in section.table.rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</tbody>
</table></div>
{% endif %}
</section>
{% endfor %}
</main>
<footer><p>{{ card.made_by }}</p></footer>
</body>
</html>
"""


def as_markdown(card: Card) -> str:
    """Return a card as Markdown."""
    parts = [f"# {card.title}", *map(_section, card.sections), f"*{card.made_by}*"]
    return "\n\n".join(parts) + "\n"


def as_html(card: Card) -> str:
    """Return a card as a page."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(_PAGE).render(card=card)


def _section(section: Section) -> str:
    parts = [f"## {section.title}", *section.says]
    if section.points:
        parts.append("\n".join(f"- {point}" for point in section.points))
    if section.table:
        parts.append(_table(section.table))
    return "\n\n".join(parts)


def _table(table: Table) -> str:
    rows = [table.head, tuple("---" for _ in table.head), *table.rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
