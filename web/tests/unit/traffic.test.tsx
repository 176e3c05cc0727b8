import { render, screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { trafficTexts, type TrafficFigures } from '../../src/features/supervisor/traffic';
import { Sparkline } from '../../src/ui/Sparkline';

const QUIET: TrafficFigures = {
  requests: 0,
  errors: 0,
  errorRate: null,
  perMinute: 0,
  p95: null,
  memory: null,
  series: { requests: [], errors: [], p95: [], memory: [] },
};

describe('texts of traffic figures', () => {
  it('says nothing where nothing is known', () => {
    expect(trafficTexts(QUIET, 'en-US')).toEqual({ requests: '0', perMinute: '0', p95: '–', errorRate: '–', memory: '–' });
  });

  it('writes numbers as people do', () => {
    const busy = { ...QUIET, requests: 12345, perMinute: 2469, p95: 18.4, errorRate: 0.0125, memory: 212_000_000 };
    expect(trafficTexts(busy, 'en-US')).toEqual({
      requests: '12,345',
      perMinute: '2,469',
      p95: '18 ms',
      errorRate: '1.3%',
      memory: '212 MB',
    });
    expect(trafficTexts({ ...QUIET, p95: 0.3 }, 'en-US').p95).toBe('< 1 ms');
  });
});

describe('a sparkline', () => {
  it('goes from zero to the largest value and has gaps where nothing is known', () => {
    const { container } = render(<Sparkline values={[0, 2, null, 4]} label="how it went" />);
    expect(screen.getByRole('img', { name: 'how it went' })).toBeDefined();
    const lines = [...container.querySelectorAll('polyline')].map((line) => line.getAttribute('points'));
    expect(lines).toEqual(['0,22.50 1,12.00', '2.65,1.50 3.35,1.50']);
  });

  it('is flat and finite without values', () => {
    const { container } = render(<Sparkline values={[0, 0, 0]} label="quiet" />);
    expect(container.querySelector('polyline')?.getAttribute('points')).toBe('0,22.50 1,22.50 2,22.50');
  });
});
