// Filters by tenant and status; on paper, everything is open.
const tenant = document.getElementById('tenant'), status = document.getElementById('status');
function filter() {
  for (const row of document.querySelectorAll('[data-tenant]')) {
    row.hidden = tenant.value !== '' && row.dataset.tenant !== '' && row.dataset.tenant !== tenant.value;
  }
  for (const control of document.querySelectorAll('.control')) {
    const of = control.dataset.tenants.split(' ').map(pair => pair.split(':'))
      .filter(([name]) => tenant.value === '' || name === tenant.value);
    control.hidden = of.length === 0 || (status.value !== '' && !of.some(([, found]) => found === status.value));
  }
  for (const framework of document.querySelectorAll('.framework')) {
    framework.hidden = !framework.querySelector('.control:not([hidden])');
  }
}
if (tenant) { tenant.addEventListener('change', filter); status.addEventListener('change', filter); }
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach(one => { one.open = true; }));
