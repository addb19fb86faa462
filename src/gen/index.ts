export { checkLayout } from './layout.ts';
export type { EnumLayout, LayoutDescription, MapLayout, RecordLayout } from './layout.ts';
export { modelOf } from './model.ts';
export type { EventDirection } from './map-family.ts';
export type { EventModel, MapModel, ObjectModel, VariableModel } from './model.ts';
export { generateModule } from './module.ts';
export type { ModuleForm, ModuleOptions, ObjectSource } from './options.ts';
export type * from './shape.ts';
