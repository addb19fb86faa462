export { checkLayout } from './layout.ts';
export type { EnumLayout, LayoutDescription, RecordLayout } from './layout.ts';
export { modelOf } from './model.ts';
export type { MapModel, ObjectModel, VariableModel } from './model.ts';
export { generateModule } from './module.ts';
export type { ModuleForm, ModuleOptions, ObjectSource } from './options.ts';
export type * from './shape.ts';
