// Tables that can be sorted: without this they are read as they stand, the worst first.
for (const table of document.querySelectorAll('table[data-sortable]')) {
  const body = table.tBodies[0];
  table.querySelectorAll('thead th').forEach((head, at) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const sign = head.getAttribute('aria-sort') === 'descending' ? 1 : -1;
      const key = ({ cells }) => cells[at].dataset.number ?? cells[at].textContent;
      const known = (row) => at === 0 || 'number' in row.cells[at].dataset;
      const rows = [...body.rows].sort((a, b) => known(b) - known(a) || sign * key(a).localeCompare(key(b), 'en', { numeric: true }));
      if (at > 0) rows.sort((a, b) => known(b) - known(a) || sign * (key(a) - key(b)) || 0);
      for (const each of head.parentNode.cells) each.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', sign > 0 ? 'ascending' : 'descending');
      body.append(...rows);
    });
  });
}
