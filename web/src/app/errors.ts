export interface ErrorItem {
  message: string;
  code?: string;
  title?: string;
  /** Name of the form field the message belongs to. */
  field?: string;
  remedy?: string;
}

/** The body of a failed answer: `errors` comes from an app, `error` from the gateway in front of it. */
interface ErrorBody {
  errors?: ErrorItem[];
  /** The record as it is now, when somebody else has changed it. */
  data?: unknown;
  error?: ErrorItem & { status?: number; maintaining?: boolean; command?: { name: string } };
}

/** An answer of the API that is not a success, or no answer at all (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly items: ErrorItem[];
  readonly requestId: string | null;
  /** The app is known but does not answer requests now (starting, stopped, failed …). */
  readonly maintaining: boolean;
  /** Seconds the server asks to wait before the next attempt. */
  readonly retryAfter: number | null;
  /** What the answer has under `data`. */
  readonly data: unknown;
  /** Version of that, from the header `ETag`. */
  readonly etag: string | null;

  constructor(
    status: number,
    items: ErrorItem[],
    more: { requestId?: string | null; maintaining?: boolean; retryAfter?: number | null; data?: unknown; etag?: string | null } = {},
  ) {
    super(items[0]?.message ?? `HTTP ${status}`);
    this.name = 'ApiError';
    this.status = status;
    this.items = items;
    this.requestId = more.requestId ?? null;
    this.maintaining = more.maintaining ?? false;
    this.retryAfter = more.retryAfter ?? null;
    this.data = more.data;
    this.etag = more.etag ?? null;
  }

  get code(): string | undefined {
    return this.items[0]?.code;
  }

  /** Somebody else has changed the record since it was read; `data` and `etag` are of how it is now. */
  get isStale(): boolean {
    return this.status === 409 && this.code === 'RECORD_CHANGED';
  }

  /** No connection, or the server closed it without an answer. */
  get offline(): boolean {
    return this.status === 0;
  }
}

function retryAfterOf(response: Response): number | null {
  const seconds = Number(response.headers.get('Retry-After'));
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}

/** Turns a failed response into an error; understands both shapes of the body and plain text. */
export async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  const common = { requestId: response.headers.get('X-Request-Id'), retryAfter: retryAfterOf(response) };
  let body: ErrorBody = {};
  try {
    body = JSON.parse(text) as ErrorBody;
  } catch {
    // A proxy on the way may answer with a page or plain text.
    const message = text.length > 0 && text.length < 200 && !text.includes('<') ? text : response.statusText;
    return new ApiError(response.status, [{ message: message || `HTTP ${response.status}` }], common);
  }
  if (body.error) {
    return new ApiError(response.status, [body.error], { ...common, maintaining: body.error.maintaining ?? false });
  }
  const items = body.errors?.length ? body.errors : [{ message: `HTTP ${response.status}` }];
  return new ApiError(response.status, items, { ...common, data: body.data, etag: response.headers.get('ETag') });
}
